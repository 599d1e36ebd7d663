package process

import (
	"io"
	"os"
	"time"
)

// lifelineFD is where a component finds the read end of its supervisor's pipe.
const lifelineFD = 3

// DieWithSupervisor ends this component when its supervisor is gone, after
// killing what is left of the pods under podsDir. The supervisor holds the
// other end of a pipe, which the kernel closes even after kill -9; unlike
// PDEATHSIG, that leaves the component the time to clean up.
func DieWithSupervisor(podsDir string) {
	pipe := os.NewFile(lifelineFD, "lifeline")
	go func() {
		_, _ = io.Copy(io.Discard, pipe)
		_, _ = Sweep(podsDir, 2*time.Second)
		os.Exit(1)
	}()
}
