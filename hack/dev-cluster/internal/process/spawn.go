// Package process starts local processes so that none outlives the supervisor,
// however the supervisor ends. Two nets hold them: the kernel kills a started
// process when the supervisor dies (PDEATHSIG), and every process that descends
// from it is found by a mark in its environment (see sweep.go).
package process

import (
	"os/exec"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// Spawner starts processes from one OS thread of its own. The kernel sends
// PDEATHSIG when the *thread* that forked ends, not the process, and the Go
// runtime ends threads as it likes; this one is locked and never returned.
type Spawner struct{ requests chan request }

type request struct {
	cmd  *exec.Cmd
	done chan<- error
}

// NewSpawner starts the thread. It lives as long as the process.
func NewSpawner() *Spawner {
	spawner := &Spawner{requests: make(chan request)}
	go func() {
		runtime.LockOSThread()
		for asked := range spawner.requests {
			asked.done <- asked.cmd.Start()
		}
	}()
	return spawner
}

// Start starts the command in a session of its own, to be killed by the kernel with the supervisor.
func (s *Spawner) Start(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
	done := make(chan error, 1)
	s.requests <- request{cmd, done}
	return <-done
}

// SignalGroup signals the process and all that it started in the same group. A group that is gone is no error.
func SignalGroup(pid int, signal syscall.Signal) {
	_ = syscall.Kill(-pid, signal)
}

// AwaitExit returns when the child has ended, and leaves it to be waited for:
// until then its process id, and its group's, belong to nobody else.
func AwaitExit(pid int) {
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if err != unix.EINTR {
			return
		}
	}
}
