package process

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
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

func marked(dir string) []int {
	var pids []int
	entries, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, entry := range entries {
		environ, err := os.ReadFile(entry)
		if err != nil || !hasMark(environ, dir) {
			continue
		}
		if pid, err := strconv.Atoi(strings.Split(entry, "/")[2]); err == nil && pid != os.Getpid() {
			pids = append(pids, pid)
		}
	}
	return pids
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
