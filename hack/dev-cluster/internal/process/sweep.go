package process

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// MarkName is the environment variable by which a container's processes are
// found again. Its value is the container's directory; children inherit it.
const MarkName = "DEV_CLUSTER_CONTAINER"

// Mark is the environment entry that makes a process findable under dir.
func Mark(dir string) string { return MarkName + "=" + dir }

// Sweep kills every process whose mark is dir or lies under it, until none is
// left or the patience is used up. It returns how many were killed.
func Sweep(dir string, patience time.Duration) (int, error) {
	killed := map[int]bool{}
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		found := marked(dir)
		if len(found) == 0 {
			return len(killed), nil
		}
		for _, pid := range found {
			killed[pid] = true
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		if time.Now().After(deadline) {
			return len(killed), fmt.Errorf("processes %v of %s would not die", found, dir)
		}
	}
}

// marked is called at the end of every container, so it makes as few system calls as there can be.
func marked(dir string) []int {
	proc, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer proc.Close()
	names, _ := proc.Readdirnames(-1)
	var pids []int
	environ := make([]byte, 0, 64<<10)
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil || pid == os.Getpid() {
			continue
		}
		environ = appendEnviron(environ[:0], name)
		if hasMark(environ, dir) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// appendEnviron adds nothing for a process that is gone or another user's.
func appendEnviron(environ []byte, pid string) []byte {
	file, err := unix.Open("/proc/"+pid+"/environ", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return environ
	}
	defer unix.Close(file)
	for {
		environ = slices.Grow(environ, 4<<10)
		count, err := unix.Read(file, environ[len(environ):cap(environ)])
		if count <= 0 || err != nil {
			return environ
		}
		environ = environ[:len(environ)+count]
	}
}

// hasMark looks for the mark in the content of /proc/PID/environ, where entries end with a zero byte.
// A zombie's environ is empty, so a process that is dead but not yet waited for does not count.
func hasMark(environ []byte, dir string) bool {
	prefix := []byte(Mark(dir))
	for _, entry := range bytes.Split(environ, []byte{0}) {
		rest, ok := bytes.CutPrefix(entry, prefix)
		if ok && (len(rest) == 0 || rest[0] == '/') {
			return true
		}
	}
	return false
}
