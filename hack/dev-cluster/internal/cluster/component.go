package cluster

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

const lastLogLines = 12

// component is one process of the control plane, which is this binary again in another role.
type component struct {
	name     string
	argv     []string
	dir      string
	logFile  string
	lifeline *os.File
	// failed is told when the process ends without having been asked to.
	failed chan<- error

	mu       sync.Mutex
	cmd      *exec.Cmd
	ended    chan struct{}
	stopping bool
}

// start starts the process. Its output is added to its log file.
func (c *component) start() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended != nil {
		return fmt.Errorf("%s is running already", c.name)
	}
	log, err := os.OpenFile(c.logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	// Not by its name: the file may have been replaced or removed since this process was started from it.
	cmd := &exec.Cmd{Path: "/proc/self/exe", Args: c.argv, Dir: c.dir, Stdout: log, Stderr: log}
	cmd.ExtraFiles = []*os.File{c.lifeline}
	// A group of its own keeps a terminal's Ctrl-C from it: the supervisor stops all in order.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", c.name, err)
	}
	c.cmd, c.ended, c.stopping = cmd, make(chan struct{}), false
	go c.watch(cmd, c.ended)
	return nil
}

func (c *component) watch(cmd *exec.Cmd, ended chan struct{}) {
	_ = cmd.Wait()
	c.mu.Lock()
	expected := c.stopping
	c.cmd, c.ended = nil, nil
	c.mu.Unlock()
	close(ended)
	if !expected {
		c.failed <- fmt.Errorf("%s ended (%s); the last lines of %s:\n%s", c.name, cmd.ProcessState, c.logFile, tail(c.logFile))
	}
}

// stop signals the process and kills it when it is not gone in time. It returns when it is.
func (c *component) stop(signal syscall.Signal, patience time.Duration) {
	c.mu.Lock()
	cmd, ended := c.cmd, c.ended
	c.stopping = true
	c.mu.Unlock()
	if ended == nil {
		return
	}
	_ = cmd.Process.Signal(signal)
	select {
	case <-ended:
	case <-time.After(patience):
		_ = cmd.Process.Kill()
		<-ended
	}
}

// pid is 0 while the component is stopped.
func (c *component) pid() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cmd == nil {
		return 0
	}
	return c.cmd.Process.Pid
}

func tail(file string) []byte {
	content, err := os.ReadFile(file)
	if err != nil {
		return []byte(err.Error())
	}
	lines := bytes.Split(bytes.TrimRight(content, "\n"), []byte("\n"))
	return bytes.Join(lines[max(0, len(lines)-lastLogLines):], []byte("\n"))
}
