// Package cluster starts, watches and stops one cluster: etcd, the API server,
// the controller manager and the scheduler as child processes, and the nodes in
// its own. All of it is on the loopback address, under a CA of its own, with its
// data in one directory, so that any number of clusters run side by side.
package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"k8s.io/client-go/kubernetes"

	"opal/hack/dev-cluster/internal/node"
	"opal/hack/dev-cluster/internal/process"
)

const (
	startPatience = 90 * time.Second
	// Pods get this long after SIGTERM when the whole cluster stops.
	podGrace = 2 * time.Second
	// etcd may finish writing; the others hold nothing that is not in etcd.
	stopPatience, etcdStopPatience = time.Second, 3 * time.Second
)

// Supervisor is one running cluster.
type Supervisor struct {
	config      Config
	home        *home
	credentials *credentials
	admin       kubernetes.Interface
	server      string
	components  map[string]*component
	// bereft are the clients that were ended with their API server and start again with it.
	bereft   map[string]bool
	fleet    *fleet
	failed   chan error
	lifeline *os.File
	progress io.Writer
	began    time.Time
}

// Ready is the line that tells the caller of `up` how to reach the cluster.
type Ready struct {
	Ready       bool              `json:"ready"`
	Server      string            `json:"server"`
	Dir         string            `json:"dir"`
	Control     string            `json:"control"`
	PID         int               `json:"pid"`
	Kubeconfigs map[string]string `json:"kubeconfigs"`
	Seconds     float64           `json:"seconds"`
}

// Up starts a cluster, writes one line of JSON to out once it is usable, and
// runs it until ctx ends, shutdown is asked for over the control socket, or a
// part fails. It has stopped everything when it returns.
func Up(ctx context.Context, config Config, out, progress io.Writer) (err error) {
	s := &Supervisor{config: config, failed: make(chan error, 16), progress: progress, began: time.Now(), bereft: map[string]bool{}}
	if s.home, err = openHome(config.Dir); err != nil {
		return err
	}
	defer s.home.close()
	if err := s.home.divertLogs(); err != nil {
		return err
	}
	defer s.stop()
	if err := s.bringUp(ctx); err != nil {
		return err
	}
	control, err := s.listen()
	if err != nil {
		return err
	}
	defer func() { control.close(err) }()
	if err := s.announce(out); err != nil {
		return err
	}
	// Each of these is the result that the control is told of before it ends.
	select {
	case <-ctx.Done():
		return nil
	case <-control.shutdown:
		return nil
	case err := <-s.failed:
		return err
	}
}

func (s *Supervisor) announce(out io.Writer) error {
	ready := Ready{
		Ready: true, Server: s.server, Dir: s.home.dir, Control: ControlSocket(s.home.dir), PID: os.Getpid(),
		Kubeconfigs: s.credentials.kubeconfigs, Seconds: float64(time.Since(s.began).Milliseconds()) / 1000,
	}
	line, err := json.Marshal(ready)
	if err != nil {
		return err
	}
	if err := os.WriteFile(s.home.path("ready.json"), line, 0o600); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s\n", line)
	return err
}

// bringUp returns when the cluster is usable. The end of any component ends it too.
func (s *Supervisor) bringUp(parent context.Context) error {
	ctx, cancel := context.WithTimeoutCause(parent, startPatience, fmt.Errorf("it took longer than %s", startPatience))
	defer cancel()
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	started := make(chan struct{})
	defer close(started)
	go func() {
		select {
		case err := <-s.failed:
			s.failed <- err // for the one who waits when all has been started
			fail(err)
		case <-started:
		}
	}()
	if err := s.makeParts(); err != nil {
		return err
	}
	for _, name := range []string{etcd, apiserver} {
		if err := s.startComponent(ctx, name); err != nil {
			return err
		}
	}
	if err := bindNodes(ctx, s.admin); err != nil {
		return fmt.Errorf("bind the nodes' role: %w", err)
	}
	if err := s.forgetOldNodes(ctx); err != nil {
		return fmt.Errorf("remove the nodes of an earlier configuration: %w", err)
	}
	if err := s.fleet.serveLogs(); err != nil {
		return err
	}
	if err := s.startRest(ctx); err != nil {
		return err
	}
	return until(ctx, "the default service account", hasDefaultAccount(ctx, s.admin))
}

// makeParts prepares everything that needs no process yet.
func (s *Supervisor) makeParts() error {
	_, _ = process.Sweep(s.home.podsDir(), time.Second)
	port, err := reservePort(s.home.path("port"))
	if err != nil {
		return err
	}
	address := fmt.Sprintf("127.0.0.1:%d", port)
	s.server = "https://" + address
	if s.credentials, err = issueCredentials(s.home, s.server, s.config.Identities, s.began); err != nil {
		return err
	}
	if s.admin, err = s.credentials.client(Admin, "system:masters"); err != nil {
		return err
	}
	s.fleet = newFleet(s.config.Nodes, s.credentials, node.Options{
		Images: s.config.Images, BaseEnv: s.config.baseEnv(os.LookupEnv), PodsDir: s.home.podsDir(), APIAddress: address,
		GraceSeconds: s.config.NodeGraceSeconds, Spawner: process.NewSpawner(),
	}, s.failed)
	return s.makeComponents(port)
}

func (s *Supervisor) makeComponents(port int) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	forAPIServer, err := apiserverArguments(s.home, s.credentials, port)
	if err != nil {
		return err
	}
	forScheduler, err := schedulerArguments(s.home)
	if err != nil {
		return err
	}
	arguments := map[string][]string{
		etcd: etcdArguments(), apiserver: forAPIServer, scheduler: forScheduler,
		controllerManager: controllerManagerArguments(s.home, s.credentials, s.config.NodeGraceSeconds),
	}
	// The write end stays open in this process alone, until it ends.
	lifeline, held, err := os.Pipe()
	if err != nil {
		return err
	}
	s.lifeline = held
	s.components = map[string]*component{}
	for _, name := range componentNames {
		argv := append([]string{self, "component", s.home.podsDir(), name}, arguments[name]...)
		s.components[name] = &component{
			name: name, argv: append(argv, s.config.ExtraArgs[name]...), dir: s.home.dir,
			logFile: s.home.logFile(name), lifeline: lifeline, failed: s.failed,
		}
	}
	return nil
}

// startComponent starts it and returns when it answers, where something depends on that.
func (s *Supervisor) startComponent(ctx context.Context, name string) error {
	component, known := s.components[name]
	if !known {
		return fmt.Errorf("there is no component %q, only %v", name, componentNames)
	}
	s.say("starting %s", name)
	if err := component.start(); err != nil {
		return err
	}
	switch name {
	case etcd:
		return until(ctx, "etcd", acceptsConnections(func() (net.Conn, error) { return dialIn(s.home.dir, etcdSocket) }))
	case apiserver:
		return until(ctx, "the API server", isServing(ctx, s.server, s.credentials.authority.CertPEM))
	default:
		return nil
	}
}

// startRest starts all that needs nothing but the API server, at once.
func (s *Supervisor) startRest(ctx context.Context) error {
	var all sync.WaitGroup
	failures := make([]error, len(s.config.Nodes)+2)
	for i, name := range clientNames {
		all.Go(func() { failures[i] = s.startComponent(ctx, name) })
	}
	for i, spec := range s.config.Nodes {
		all.Go(func() { failures[i+2] = s.startNode(ctx, spec.Name) })
	}
	all.Wait()
	return errors.Join(failures...)
}

// stop ends everything in the reverse order of its start.
func (s *Supervisor) stop() {
	if s.components == nil {
		return
	}
	s.say("stopping")
	s.fleet.shutdown(podGrace)
	signal := syscall.SIGTERM
	if s.home.temporary {
		signal = syscall.SIGKILL
	}
	for _, name := range []string{scheduler, controllerManager, apiserver} {
		s.components[name].stop(signal, stopPatience)
	}
	s.components[etcd].stop(signal, etcdStopPatience)
	_ = os.Remove(s.home.path("ready.json"))
}

func (s *Supervisor) say(format string, arguments ...any) {
	fmt.Fprintf(s.progress, "%6.2fs %s\n", time.Since(s.began).Seconds(), fmt.Sprintf(format, arguments...))
}

// dialIn connects to a socket by its name in the directory, however long the directory's path is.
func dialIn(dir, name string) (net.Conn, error) {
	opened, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	return net.Dial("unix", fmt.Sprintf("/proc/self/fd/%d/%s", opened.Fd(), name))
}
