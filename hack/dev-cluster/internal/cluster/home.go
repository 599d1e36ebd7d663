package cluster

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"syscall"

	"k8s.io/klog/v2"
)

// longestSocketPath is what fits into a socket address, with some room.
const longestSocketPath = 100

// home is the directory of one cluster, locked while its supervisor lives.
type home struct {
	dir       string
	temporary bool
	lock      *os.File
}

var errLocked = errors.New("locked")

// openHome makes and locks the directory; an empty name means a new temporary one.
func openHome(dir string) (*home, error) {
	if dir == "" {
		return openTemporaryHome()
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	lock, err := lockFile(filepath.Join(dir, "lock"), syscall.LOCK_NB)
	if errors.Is(err, errLocked) {
		return nil, fmt.Errorf("a cluster is already running in %s", dir)
	}
	return &home{dir: dir, lock: lock}, err
}

// divertLogs keeps the words of libraries in this process out of its own
// progress lines, and the logs of the cluster's last life apart from this one's.
func (h *home) divertLogs() error {
	if err := os.MkdirAll(h.path("logs"), 0o700); err != nil {
		return err
	}
	for _, name := range append([]string{nodes}, componentNames...) {
		err := os.Rename(h.logFile(name), h.logFile(name)+".previous")
		if err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	file, err := os.OpenFile(h.logFile(nodes), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	log.SetOutput(file)
	klog.LogToStderr(false)
	klog.SetOutput(file)
	return nil
}

func (h *home) logFile(name string) string { return h.path("logs", name+".log") }

// openTemporaryHome also removes what temporary clusters left behind that were
// killed. One lock over all of it keeps two of them from removing each other's
// directory in the moment before it is locked.
func openTemporaryHome() (*home, error) {
	parent, err := ownTemporaryParent()
	if err != nil {
		return nil, err
	}
	lock, err := lockFile(filepath.Join(parent, "lock"), 0)
	if err != nil {
		return nil, err
	}
	defer lock.Close()
	entries, _ := filepath.Glob(filepath.Join(parent, "*", "lock"))
	for _, entry := range entries {
		if left, err := lockFile(entry, syscall.LOCK_NB); err == nil {
			_ = os.RemoveAll(filepath.Dir(entry))
			left.Close()
		}
	}
	dir, err := os.MkdirTemp(parent, "")
	if err != nil {
		return nil, err
	}
	opened, err := openHome(dir)
	if err != nil {
		return nil, err
	}
	opened.temporary = true
	return opened, nil
}

func temporaryParent() string {
	return filepath.Join(os.TempDir(), fmt.Sprintf("dev-cluster-%d", os.Getuid()))
}

// ownTemporaryParent makes that directory, and refuses one of the same name that somebody else has put there.
func ownTemporaryParent() (string, error) {
	parent := temporaryParent()
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return "", err
	}
	info, err := os.Lstat(parent)
	if err != nil {
		return "", err
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok || !info.IsDir() || int(owner.Uid) != os.Getuid() || info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("%s must be a directory that is yours alone", parent)
	}
	return parent, nil
}

func lockFile(path string, flags int) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|flags)
		if err != syscall.EINTR {
			break
		}
	}
	if err == nil {
		return file, nil
	}
	file.Close()
	if err == syscall.EWOULDBLOCK {
		return nil, errLocked
	}
	return nil, fmt.Errorf("lock %s: %w", path, err)
}

// close unlocks the directory, and removes it when it is temporary.
func (h *home) close() {
	if h.temporary {
		_ = os.RemoveAll(h.dir)
	}
	h.lock.Close()
}

func (h *home) path(parts ...string) string {
	return filepath.Join(append([]string{h.dir}, parts...)...)
}

func (h *home) podsDir() string { return h.path("pods") }

// ControlSocket is where the supervisor of the cluster in dir listens. A socket
// address is short, so a deep directory gets its socket in the temporary one.
func ControlSocket(dir string) string {
	inside := filepath.Join(dir, "control.sock")
	if len(inside) <= longestSocketPath {
		return inside
	}
	return filepath.Join(temporaryParent(), fmt.Sprintf("%x.sock", sha256.Sum256([]byte(dir)))[:24]+".sock")
}
