package cluster

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOneClusterADirectory(t *testing.T) {
	dir := t.TempDir()
	first, err := openHome(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := openHome(dir); err == nil || !strings.Contains(err.Error(), "already running") {
		t.Errorf("a second cluster in it: %v", err)
	}
	first.close()
	again, err := openHome(dir)
	if err != nil {
		t.Fatalf("after the first has ended: %v", err)
	}
	again.close()
}

func TestTemporaryClustersRemoveWhatKilledOnesLeft(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	killed, err := openHome("")
	if err != nil {
		t.Fatal(err)
	}
	running, err := openHome("")
	if err != nil {
		t.Fatal(err)
	}
	killed.lock.Close() // as the kernel does for a killed process
	third, err := openHome("")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(killed.dir); !os.IsNotExist(err) {
		t.Error("the killed one's directory is still there")
	}
	if _, err := os.Stat(running.dir); err != nil {
		t.Error("the running one's directory is gone")
	}
	third.close()
	running.close()
	left, _ := filepath.Glob(filepath.Join(temporaryParent(), "*", "lock"))
	if len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

func TestControlSocketFitsIntoAnAddress(t *testing.T) {
	for _, dir := range []string{"/short", "/" + strings.Repeat("deep/", 60)} {
		if got := ControlSocket(dir); len(got) > longestSocketPath {
			t.Errorf("%s has %d bytes", got, len(got))
		}
	}
}

func TestAReservedPortIsKept(t *testing.T) {
	file := filepath.Join(t.TempDir(), "port")
	first, err := reservePort(file)
	if err != nil {
		t.Fatal(err)
	}
	again, err := reservePort(file)
	if err != nil || again != first {
		t.Errorf("got %d then %d, %v", first, again, err)
	}
}
