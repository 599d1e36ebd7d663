package node

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/klog/v2"

	"opal/hack/dev-cluster/internal/process"
)

const (
	// How long killed processes may take to end, and the output of ended ones to arrive.
	sweepPatience, drainPatience = 5 * time.Second, 2 * time.Second
	// A restarted container waits a second, then longer, up to a minute.
	firstRestartDelay, longestRestartDelay = time.Second, time.Minute
	// A container that has run this long starts over with the short delay.
	stableAfter = 10 * time.Minute
)

// runContainer runs one container to its end, with the restarts that its pod's policy asks for.
func (p *pod) runContainer(container *corev1.Container, policy corev1.RestartPolicy) {
	delay := backoff{next: firstRestartDelay, most: longestRestartDelay}
	for attempt := 0; ; attempt++ {
		end := p.runOnce(container, attempt)
		if end.FinishedAt.Sub(end.StartedAt.Time) > stableAfter {
			delay.next = firstRestartDelay
		}
		again := restarts(policy, end.ExitCode) && p.stopper.asked.Err() == nil
		p.setContainer(container.Name, func(status *corev1.ContainerStatus) {
			status.Started = new(bool)
			status.Ready = false
			status.State = corev1.ContainerState{Terminated: end}
			if again {
				status.RestartCount++
				status.LastTerminationState = status.State
				status.State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{
					Reason: "CrashLoopBackOff", Message: fmt.Sprintf("restarting in %s", delay.next),
				}}
			}
		})
		if !again {
			return
		}
		if !delay.wait(p.stopper.asked) {
			p.setContainer(container.Name, func(status *corev1.ContainerStatus) {
				status.State = corev1.ContainerState{Terminated: end}
			})
			return
		}
	}
}

func restarts(policy corev1.RestartPolicy, code int32) bool {
	return policy == corev1.RestartPolicyAlways || policy == corev1.RestartPolicyOnFailure && code != 0
}

// runOnce starts the container's program once and waits for its end.
func (p *pod) runOnce(container *corev1.Container, attempt int) *corev1.ContainerStateTerminated {
	gpus, err := p.node.gpus.acquire(p.stopper.asked, p.gpuCount(container))
	if err != nil {
		return unknownEnd("the pod was stopped before the container started", metav1.Now())
	}
	defer p.node.gpus.release(gpus)
	ready, end := p.buildPatiently(container, gpus)
	if end != nil {
		return end
	}
	logFile := p.logFile(container.Name, attempt)
	running, err := p.start(ready, logFile)
	if err != nil {
		return startFailure(err)
	}
	startedAt := metav1.Now()
	id := fmt.Sprintf("process://%s/%s/%d", p.uid, container.Name, running.pid)
	p.setContainer(container.Name, func(status *corev1.ContainerStatus) {
		started := true
		status.Started, status.Ready = &started, true
		status.ContainerID, status.ImageID = id, container.Image
		status.State = corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: startedAt}}
	})
	code := running.wait(p.stopper)
	return &corev1.ContainerStateTerminated{
		ExitCode: code, Reason: exitReason(code), ContainerID: id,
		Message:   terminationMessage(container, ready.messageFile, logFile, code),
		StartedAt: startedAt, FinishedAt: metav1.Now(),
	}
}

// buildPatiently builds the program, again and again while something it needs is missing.
func (p *pod) buildPatiently(container *corev1.Container, gpus []int) (*program, *corev1.ContainerStateTerminated) {
	retry := newRetry()
	for {
		ready, err := p.build(p.stopper.asked, container, gpus)
		var cannotStart *startError
		var unsupported *UnsupportedError
		switch {
		case err == nil:
			return ready, nil
		case errors.As(err, &cannotStart), errors.As(err, &unsupported):
			return nil, startFailure(err)
		}
		if p.setWaiting(container.Name, waitingReason(err), err.Error()) {
			p.node.warn(p.latest(), "Failed", err.Error())
		}
		if !retry.wait(p.stopper.asked) {
			return nil, unknownEnd("the pod was stopped before the container started", metav1.Now())
		}
	}
}

func waitingReason(err error) string {
	var unknown *UnknownImageError
	if errors.As(err, &unknown) {
		return "ErrImagePull"
	}
	return "CreateContainerConfigError"
}

func startFailure(err error) *corev1.ContainerStateTerminated {
	now := metav1.Now()
	return &corev1.ContainerStateTerminated{
		ExitCode: startErrorCode, Reason: startErrorReason, Message: err.Error(), StartedAt: now, FinishedAt: now,
	}
}

// newRetry is for what another hand is about to make, such as a ConfigMap that is created right after its Job.
func newRetry() *backoff { return &backoff{next: 50 * time.Millisecond, most: 500 * time.Millisecond} }

// running is a started process and the copying of its output.
type running struct {
	cmd    *exec.Cmd
	root   string
	pid    int
	log    *logFile
	output [2]*os.File
	copied sync.WaitGroup
}

func (p *pod) start(ready *program, logPath string) (*running, error) {
	log, err := createLog(logPath)
	if err != nil {
		return nil, err
	}
	started := &running{
		cmd:  &exec.Cmd{Path: ready.argv[0], Args: ready.argv, Env: ready.environ, Dir: ready.dir},
		root: ready.root,
		log:  log,
	}
	if err := started.launch(p.node.options.Spawner); err != nil {
		started.closeOutput()
		return nil, err
	}
	return started, nil
}

func (r *running) launch(spawner *process.Spawner) error {
	var ends [2]*os.File
	var err error
	for i := range ends {
		if r.output[i], ends[i], err = os.Pipe(); err != nil {
			return err
		}
		defer ends[i].Close()
	}
	r.cmd.Stdout, r.cmd.Stderr = ends[0], ends[1]
	if err := spawner.Start(r.cmd); err != nil {
		return err
	}
	r.pid = r.cmd.Process.Pid
	for i, stream := range []string{"stdout", "stderr"} {
		r.copied.Go(func() { r.log.copy(stream, r.output[i]) })
	}
	return nil
}

// wait returns the exit code once the process and its group are gone and their
// output is stored. It passes the pod's stop on to the process.
func (r *running) wait(stop *stopper) int32 {
	ended := make(chan struct{})
	go func() {
		process.AwaitExit(r.pid)
		close(ended)
	}()
	asked, forced := stop.asked.Done(), stop.forced.Done()
	for {
		select {
		case <-asked:
			process.SignalGroup(r.pid, syscall.SIGTERM)
			asked = nil
		case <-forced:
			process.SignalGroup(r.pid, syscall.SIGKILL)
			forced = nil
		case <-ended:
			return r.reap()
		}
	}
}

// reap ends what the main process left behind, in its group or out of it, as
// the end of a container does. Only then is the process id freed, so that no
// other group can be hit.
func (r *running) reap() int32 {
	process.SignalGroup(r.pid, syscall.SIGKILL)
	_ = r.cmd.Wait()
	if _, err := process.Sweep(r.root, sweepPatience); err != nil {
		klog.ErrorS(err, "A container left processes behind")
	}
	for _, output := range r.output {
		_ = output.SetReadDeadline(time.Now().Add(drainPatience))
	}
	r.copied.Wait()
	r.closeOutput()
	return exitCode(r.cmd.ProcessState)
}

func (r *running) closeOutput() {
	for _, output := range r.output {
		_ = output.Close()
	}
	r.log.close()
}

func (p *pod) logFile(container string, attempt int) string {
	return filepath.Join(p.dir, "logs", container, strconv.Itoa(attempt)+".log")
}

func (p *pod) gpuCount(container *corev1.Container) int {
	count := container.Resources.Limits[p.node.gpuResource]
	return int(count.Value())
}
