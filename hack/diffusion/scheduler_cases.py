"""Which settings of which schedulers have a golden trajectory: what model folders ship, and the corners."""

from dataclasses import dataclass, field
from itertools import product

BETAS = {"num_train_timesteps": 1000, "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
PREDICTIONS = ("epsilon", "v_prediction", "sample")
# Spacing with steps_offset, as model folders have them.
SPACINGS = (("leading", 1), ("leading", 0), ("linspace", 0), ("trailing", 0))


@dataclass(frozen=True)
class Case:
    name: str
    scheduler: str
    config: dict
    steps: int = 20
    # Index of the first step taken: strength < 1.
    begin: int = 0
    set_timesteps: dict = field(default_factory=dict)


def cases() -> dict[str, list[Case]]:
    """File name to cases."""
    return {
        "ddim": list(_ddim()),
        "euler": list(_euler()),
        "euler-ancestral": list(_euler_ancestral()),
        "dpm-multistep": list(_dpm_multistep()),
        "lcm": list(_lcm()),
    }


class _Maker:
    """Names cases by what they change."""

    def __init__(self, scheduler: str, **always: object) -> None:
        self.scheduler, self.always = scheduler, always

    def __call__(self, steps: int = 20, begin: int = 0, set_timesteps: dict | None = None, **changes: object) -> Case:
        config = {**BETAS, **self.always, **changes}
        words = [f"{steps} steps", *(f"{key} {str(value).lower()}" for key, value in changes.items())]
        words += [f"begin {begin}"] if begin else []
        words += [f"{key} {value}" for key, value in (set_timesteps or {}).items()]
        return Case(", ".join(words), self.scheduler, config, steps, begin, set_timesteps or {})


def _spaced(make: _Maker, predictions: tuple[str, ...] = PREDICTIONS, **more: object):
    for (spacing, offset), prediction in product(SPACINGS, predictions):
        yield make(timestep_spacing=spacing, steps_offset=offset, prediction_type=prediction, **more)


def _ddim():
    make = _Maker("DDIMScheduler", clip_sample=False, set_alpha_to_one=False)
    leading = {"timestep_spacing": "leading", "steps_offset": 1}
    yield from _spaced(make)
    yield make(**leading, set_alpha_to_one=True)
    yield make(timestep_spacing="trailing", set_alpha_to_one=True)
    yield make(**leading, clip_sample=True)
    yield make(**leading, clip_sample=True, clip_sample_range=2.0, prediction_type="v_prediction")
    yield make(timestep_spacing="trailing", rescale_betas_zero_snr=True, prediction_type="v_prediction")
    yield make(**leading, beta_schedule="linear", beta_start=0.0001, beta_end=0.02)
    yield make(**leading, beta_schedule="squaredcos_cap_v2")
    for steps in (1, 7, 30, 50):
        yield make(steps=steps, **leading)
    yield make(begin=8, **leading)
    yield make(begin=19, **leading)
    yield make(steps=7, begin=3, timestep_spacing="trailing")


def _euler():
    make = _Maker("EulerDiscreteScheduler")
    leading = {"timestep_spacing": "leading", "steps_offset": 1}
    yield from _spaced(make)
    yield from _spaced(make, ("epsilon", "v_prediction"), use_karras_sigmas=True)
    yield make(**leading, final_sigmas_type="sigma_min")
    yield make(**leading, interpolation_type="log_linear")
    yield make(timestep_spacing="trailing", rescale_betas_zero_snr=True, prediction_type="v_prediction")
    yield make(**leading, beta_schedule="linear", beta_start=0.0001, beta_end=0.02)
    for steps in (1, 2, 4):
        yield make(steps=steps, timestep_spacing="trailing")
    for steps in (1, 7, 30, 50):
        yield make(steps=steps, **leading)
    yield make(begin=8, **leading)
    yield make(begin=8, timestep_spacing="linspace", use_karras_sigmas=True)
    yield make(steps=4, begin=2, timestep_spacing="trailing")


def _euler_ancestral():
    make = _Maker("EulerAncestralDiscreteScheduler")
    yield from _spaced(make, ("epsilon", "v_prediction"))
    yield make(timestep_spacing="trailing", rescale_betas_zero_snr=True, prediction_type="v_prediction")
    for steps in (1, 4):
        yield make(steps=steps, timestep_spacing="trailing")
    yield make(steps=50, timestep_spacing="leading", steps_offset=1)
    yield make(begin=8, timestep_spacing="leading", steps_offset=1)
    yield make(begin=8, timestep_spacing="linspace")


def _dpm_multistep():
    make = _Maker("DPMSolverMultistepScheduler", algorithm_type="dpmsolver++", solver_order=2)
    leading = {"timestep_spacing": "leading", "steps_offset": 1}
    yield from _spaced(make)
    yield from _spaced(make, ("epsilon", "v_prediction"), use_karras_sigmas=True)
    yield make(solver_type="heun")
    yield make(solver_type="heun", use_karras_sigmas=True)
    yield make(solver_order=1)
    yield make(final_sigmas_type="sigma_min")
    yield make(final_sigmas_type="sigma_min", use_karras_sigmas=True)
    yield make(euler_at_final=True, final_sigmas_type="sigma_min")
    yield make(lower_order_final=False)
    yield make(lower_order_final=False, final_sigmas_type="sigma_min")
    yield make(timestep_spacing="trailing", rescale_betas_zero_snr=True, prediction_type="v_prediction")
    yield make(beta_schedule="linear", beta_start=0.0001, beta_end=0.02)
    # Fewer than 15 steps end by lower orders.
    for steps, karras in product((1, 2, 3, 5, 10, 14, 15), (False, True)):
        yield make(steps=steps, use_karras_sigmas=karras)
    yield make(steps=10, final_sigmas_type="sigma_min")
    yield make(steps=10, lower_order_final=False, final_sigmas_type="sigma_min")
    for steps in (14, 50):
        yield make(steps=steps, **leading)
    for begin in (8, 18, 19):
        yield make(begin=begin, **leading)
    yield make(steps=10, begin=4, use_karras_sigmas=True)


def _lcm():
    make = _Maker("LCMScheduler", clip_sample=False, set_alpha_to_one=True, original_inference_steps=50)
    for steps, prediction in product((1, 2, 4, 8), PREDICTIONS):
        yield make(steps=steps, prediction_type=prediction)
    yield make(steps=20)
    yield make(steps=50)
    yield make(steps=4, set_alpha_to_one=False)
    yield make(steps=4, original_inference_steps=100)
    yield make(steps=4, timestep_scaling=5.0)
    yield make(steps=4, clip_sample=True)
    yield make(steps=4, rescale_betas_zero_snr=True, prediction_type="v_prediction")
    # The latent consistency pipelines ask so ...
    yield make(steps=4, set_timesteps={"original_inference_steps": 25})
    yield make(steps=4, set_timesteps={"original_inference_steps": 50, "strength": 0.6})
    # ... the others by where they begin.
    yield make(steps=8, begin=3)
