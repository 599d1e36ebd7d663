package cluster

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"

	"opal/hack/dev-cluster/internal/node"
)

// fleet is the cluster's nodes. They live in the supervisor's own process, each
// with the API identity of a kubelet.
type fleet struct {
	specs       []node.Spec
	credentials *credentials
	options     node.Options
	failed      chan<- error

	mu      sync.Mutex
	running map[string]*runningNode
}

type runningNode struct {
	node *node.Node
	kill context.CancelFunc
	done chan struct{}
}

func newFleet(specs []node.Spec, credentials *credentials, options node.Options, failed chan<- error) *fleet {
	return &fleet{specs: specs, credentials: credentials, options: options, failed: failed, running: map[string]*runningNode{}}
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
		return fmt.Errorf("node %q is not running", name)
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
	for _, spec := range f.specs {
		_ = f.stop(spec.Name)
	}
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

func (f *fleet) isRunning(name string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.running[name] != nil
}

func (f *fleet) spec(name string) (node.Spec, error) {
	for _, spec := range f.specs {
		if spec.Name == name {
			return spec, nil
		}
	}
	return node.Spec{}, fmt.Errorf("there is no node %q in this cluster", name)
}
