package process

import (
	"os/exec"
	"testing"
	"time"
)

func TestHasMark(t *testing.T) {
	environ := []byte("A=1\x00" + Mark("/data/pods/n/u") + "\x00B=2\x00")
	for dir, want := range map[string]bool{
		"/data/pods": true, "/data/pods/n/u": true, "/data/pod": false, "/other": false, "/data/pods/n/u/x": false,
	} {
		if hasMark(environ, dir) != want {
			t.Errorf("%s: want %v", dir, want)
		}
	}
}

func TestSweepFindsWhatLeftItsProcessGroup(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.Command("sh", "-c", "setsid sleep 300 & sleep 300")
	cmd.Env = []string{"PATH=/usr/bin:/bin", Mark(dir)}
	if err := NewSpawner().Start(cmd); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); len(marked(dir)) < 3; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("only %v have started", marked(dir))
		}
	}
	go func() { _ = cmd.Wait() }()
	if killed, err := Sweep(dir, 10*time.Second); err != nil || killed < 3 {
		t.Errorf("killed %d, %v", killed, err)
	}
}
