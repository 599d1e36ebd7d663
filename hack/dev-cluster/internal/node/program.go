package node

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/kubernetes/third_party/forked/golang/expansion"

	"opal/hack/dev-cluster/internal/process"
)

// program is one container made ready to run on this machine.
type program struct {
	argv    []string
	environ []string
	// root is the container's directory, which also marks its processes.
	root        string
	dir         string
	messageFile string
}

// build resolves a container's command line, variables and paths. It fails
// while an object that a variable needs is missing.
func (p *pod) build(ctx context.Context, container *corev1.Container, gpus []int) (*program, error) {
	template, err := p.node.options.Images.commandLine(container)
	if err != nil {
		return nil, err
	}
	resolver := environment{pod: p.latest(), container: container, objects: p.node.objects, allocatable: p.node.capacity}
	asked, err := resolver.resolve(ctx)
	if err != nil {
		return nil, err
	}
	paths, err := p.mount(container)
	if err != nil {
		return nil, err
	}
	var argv []string
	for _, argument := range template {
		argv = append(argv, paths.rewrite(expansion.Expand(argument, expansion.MappingFuncFor(asked))))
	}
	for name, value := range asked {
		asked[name] = paths.rewrite(value)
	}
	built := &program{
		argv:        argv,
		environ:     append(entries(p.node.options.BaseEnv, p.injected(container, gpus), asked), process.Mark(paths.root)),
		root:        paths.root,
		dir:         paths.inRoot(container.WorkingDir),
		messageFile: paths.inRoot(container.TerminationMessagePath),
	}
	return built, built.prepare(p.node.searchPath(asked))
}

// injected are the variables that a kubelet and its device plugin would add.
func (p *pod) injected(container *corev1.Container, gpus []int) map[string]string {
	host, port, _ := net.SplitHostPort(p.node.options.APIAddress)
	injected := map[string]string{
		"HOSTNAME":                p.name,
		"KUBERNETES_SERVICE_HOST": host,
		"KUBERNETES_SERVICE_PORT": port,
	}
	if len(gpus) > 0 {
		injected["NVIDIA_VISIBLE_DEVICES"] = visibleDevices(gpus)
	}
	if file := p.kubeconfigFile(container); file != "" {
		injected["KUBECONFIG"] = file
	}
	return injected
}

// mount gives the container its root directory with a link for each mount.
func (p *pod) mount(container *corev1.Container) (containerPaths, error) {
	root := filepath.Join(p.dir, "containers", container.Name)
	mounts := []string{container.TerminationMessagePath}
	for _, mount := range container.VolumeMounts {
		mounts = append(mounts, mount.MountPath)
	}
	paths := newContainerPaths(root, mounts)
	outerFirst := slices.Clone(container.VolumeMounts)
	slices.SortFunc(outerFirst, func(a, b corev1.VolumeMount) int { return len(a.MountPath) - len(b.MountPath) })
	for _, mount := range outerFirst {
		target := filepath.Join(p.volumeDirs[mount.Name], mount.SubPath)
		if err := link(target, paths.inRoot(mount.MountPath), mount.SubPath != ""); err != nil {
			return paths, fmt.Errorf("mount %s: %w", mount.MountPath, err)
		}
	}
	return paths, nil
}

// link makes the mount point. It replaces the link of an earlier start of the same container.
func link(target, at string, isSubPath bool) error {
	if _, err := os.Stat(target); os.IsNotExist(err) && isSubPath {
		if err := os.MkdirAll(target, 0o755); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		return err
	}
	if err := os.Remove(at); err != nil && !os.IsNotExist(err) {
		return err
	}
	return os.Symlink(target, at)
}

// prepare makes the working directory and an empty message file, and finds the program.
func (p *program) prepare(searchPath string) error {
	if err := os.MkdirAll(p.dir, 0o755); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(p.messageFile), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(p.messageFile, nil, 0o644); err != nil {
		return err
	}
	found, err := lookPath(p.argv[0], searchPath)
	if err != nil {
		return &startError{err}
	}
	p.argv[0] = found
	return nil
}

// startError is a command that cannot be run at all, which ends the container at once.
type startError struct{ error }

func (e *startError) Unwrap() error { return e.error }

// lookPath finds the program by the container's own PATH, as its runtime would.
func lookPath(name, searchPath string) (string, error) {
	if filepath.Base(name) != name {
		return exec.LookPath(name)
	}
	for _, dir := range filepath.SplitList(searchPath) {
		found, err := exec.LookPath(filepath.Join(dir, name))
		if err == nil && filepath.IsAbs(found) {
			return found, nil
		}
	}
	return "", &exec.Error{Name: name, Err: exec.ErrNotFound}
}
