package cluster

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"opal/hack/dev-cluster/internal/node"
)

// fleet is the cluster's nodes. They live in the supervisor's own process, each
// with the API identity of a kubelet.
type fleet struct {
	credentials *credentials
	options     node.Options
	failed      chan<- error

	mu sync.Mutex
	// specs in the order in which the nodes came.
	specs   []node.Spec
	running map[string]*runningNode
	// goneAt is when the nodes go that are being reclaimed.
	goneAt map[string]time.Time
}

// NodeState is one node as `status` tells it.
type NodeState struct {
	Name        string `json:"name"`
	Running     bool   `json:"running"`
	GPUClass    string `json:"gpuClass,omitempty"`
	GPUs        int    `json:"gpus"`
	GPUResource string `json:"gpuResource"`
	Spot        bool   `json:"spot"`
	// GoneInSeconds is there while a spot node is being reclaimed.
	GoneInSeconds *float64 `json:"goneInSeconds,omitempty"`
}

type runningNode struct {
	node *node.Node
	kill context.CancelFunc
	done chan struct{}
}

func newFleet(specs []node.Spec, credentials *credentials, options node.Options, failed chan<- error) *fleet {
	return &fleet{
		specs: slices.Clone(specs), credentials: credentials, options: options, failed: failed,
		running: map[string]*runningNode{}, goneAt: map[string]time.Time{},
	}
}

// serveLogs opens the endpoint that the API server reads pods' logs from.
func (f *fleet) serveLogs() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	certificate, ca, err := f.credentials.endpointCertificate()
	if err != nil {
		return err
	}
	address, ok := listener.Addr().(*net.TCPAddr)
	if !ok {
		return fmt.Errorf("unexpected address %v", listener.Addr())
	}
	f.options.EndpointPort = address.Port
	endpoint := &node.Endpoint{Nodes: f.nodes}
	go func() { f.failed <- fmt.Errorf("the nodes' endpoint: %w", endpoint.Serve(listener, certificate, ca)) }()
	return nil
}

// start starts the node and returns once it is registered.
func (f *fleet) start(ctx context.Context, name string) error {
	spec, err := f.spec(name)
	if err != nil {
		return err
	}
	if f.isReclaimed(name) {
		return fmt.Errorf("node %s is being reclaimed and does not come back: add another one", name)
	}
	client, err := f.credentials.client("system:node:"+name, "system:nodes")
	if err != nil {
		return err
	}
	started := &runningNode{node: node.New(spec, client, f.options), done: make(chan struct{})}
	f.mu.Lock()
	if f.running[name] != nil {
		f.mu.Unlock()
		return fmt.Errorf("node %s is running already", name)
	}
	f.running[name] = started
	f.mu.Unlock()
	life, kill := context.WithCancel(context.Background())
	started.kill = kill
	go func() {
		defer close(started.done)
		if err := started.node.Run(life); err != nil && life.Err() == nil {
			f.failed <- fmt.Errorf("node %s: %w", name, err)
		}
	}()
	select {
	case <-started.node.Registered():
		return nil
	case <-started.done:
		return fmt.Errorf("node %s ended before it was registered", name)
	case <-ctx.Done():
		return fmt.Errorf("node %s is not registered: %w", name, ctx.Err())
	}
}

// stop ends the node and all its pods at once, and without a word to the API server.
func (f *fleet) stop(name string) error {
	f.mu.Lock()
	stopped := f.running[name]
	delete(f.running, name)
	f.mu.Unlock()
	if stopped == nil {
		if _, err := f.spec(name); err != nil {
			return err
		}
		return fmt.Errorf("node %s is not running", name)
	}
	stopped.kill()
	<-stopped.done
	return nil
}

// shutdown stops all nodes and gives their pods this long to end by themselves.
func (f *fleet) shutdown(grace time.Duration) {
	var all sync.WaitGroup
	for _, running := range f.nodes() {
		all.Go(func() { running.Shutdown(grace) })
	}
	all.Wait()
	for _, state := range f.states(time.Now()) {
		if state.Running {
			_ = f.stop(state.Name)
		}
	}
}

// add takes a node in, which is not started yet.
func (f *fleet) add(spec node.Spec) error {
	if err := checkNode(spec); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if slices.ContainsFunc(f.specs, func(other node.Spec) bool { return other.Name == spec.Name }) {
		return fmt.Errorf("there is a node %s already", spec.Name)
	}
	f.specs = append(f.specs, spec)
	return nil
}

// remove forgets a node, which has been stopped.
func (f *fleet) remove(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.specs = slices.DeleteFunc(f.specs, func(spec node.Spec) bool { return spec.Name == name })
	delete(f.goneAt, name)
}

// reclaim notes that the node, which must be running, is to go.
func (f *fleet) reclaim(name string, at time.Time) error {
	spec, err := f.spec(name)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case !spec.Spot:
		return fmt.Errorf("node %s is no spot node, nobody takes it back; it can be lost", name)
	case !f.goneAt[name].IsZero():
		return fmt.Errorf("node %s is being reclaimed already", name)
	case f.running[name] == nil:
		return fmt.Errorf("node %s is not running", name)
	}
	f.goneAt[name] = at
	return nil
}

func (f *fleet) isReclaimed(name string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return !f.goneAt[name].IsZero()
}

func (f *fleet) nodes() []*node.Node {
	f.mu.Lock()
	defer f.mu.Unlock()
	nodes := make([]*node.Node, 0, len(f.running))
	for _, running := range f.running {
		nodes = append(nodes, running.node)
	}
	return nodes
}

func (f *fleet) states(now time.Time) []NodeState {
	f.mu.Lock()
	defer f.mu.Unlock()
	states := make([]NodeState, 0, len(f.specs))
	for _, spec := range f.specs {
		state := NodeState{
			Name: spec.Name, Running: f.running[spec.Name] != nil, GPUClass: spec.GPUClass, GPUs: spec.GPUs,
			GPUResource: string(spec.Resource()), Spot: spec.Spot,
		}
		if at := f.goneAt[spec.Name]; !at.IsZero() {
			left := max(0, at.Sub(now).Seconds())
			state.GoneInSeconds = &left
		}
		states = append(states, state)
	}
	return states
}

func (f *fleet) spec(name string) (node.Spec, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	names := make([]string, 0, len(f.specs))
	for _, spec := range f.specs {
		if spec.Name == name {
			return spec, nil
		}
		names = append(names, spec.Name)
	}
	if len(names) == 0 {
		return node.Spec{}, fmt.Errorf("there is no node %q in this cluster, nor any other", name)
	}
	return node.Spec{}, fmt.Errorf("there is no node %q in this cluster, only %s", name, strings.Join(names, ", "))
}
