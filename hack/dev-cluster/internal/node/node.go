// Package node is a Kubernetes node whose pods are processes of this machine.
//
// Registration and the lease are virtual-kubelet's node controller. The pods are
// not left to its pod controller, which removes a pod's object when its grace is
// over whether or not the process is gone, and fetches what a pod needs through
// a rate-limited queue: here each pod has a goroutine of its own (pod.go) that
// starts its processes, reports what became of them, and only then lets go.
package node

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"time"

	vknode "github.com/virtual-kubelet/virtual-kubelet/node"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/record"
	"k8s.io/klog/v2"

	"opal/hack/dev-cluster/internal/process"
)

// Options is what every node of a cluster shares.
type Options struct {
	Images Images
	// BaseEnv is what a container inherits from this machine.
	BaseEnv map[string]string
	// PodsDir gets one directory a node, and in it one a pod.
	PodsDir string
	// APIAddress is host:port of the API server.
	APIAddress string
	// EndpointPort is where the API server asks for logs.
	EndpointPort int
	// GraceSeconds is after what silence the control plane calls a node lost; the lease is renewed four times as often.
	GraceSeconds int
	Spawner      *process.Spawner
}

// Node is one node. It lives from Run's call to its return.
type Node struct {
	name        string
	spec        Spec
	options     Options
	podsDir     string
	capacity    corev1.ResourceList
	gpuResource corev1.ResourceName
	gpus        *gpuPool
	client      kubernetes.Interface
	objects     objects
	recorder    record.EventRecorder

	registered     chan struct{}
	onceRegistered sync.Once
	rewatch        chan struct{}
	// life is Run's context. Pods outlive the watch that saw them first.
	life context.Context

	mu      sync.Mutex
	pods    map[types.UID]*pod
	running sync.WaitGroup
}

// New makes a node that talks to the API server as the client's user.
func New(spec Spec, client kubernetes.Interface, options Options) *Node {
	return &Node{
		name: spec.Name, spec: spec, options: options,
		podsDir:     filepath.Join(options.PodsDir, spec.Name),
		capacity:    spec.capacity(),
		gpuResource: spec.Resource(),
		gpus:        newGPUPool(spec.GPUs),
		client:      client, objects: apiObjects{client},
		registered: make(chan struct{}),
		rewatch:    make(chan struct{}, 1),
		pods:       map[types.UID]*pod{},
	}
}

// Registered is closed when the API server has the node.
func (n *Node) Registered() <-chan struct{} { return n.registered }

// Run registers the node and runs its pods until ctx ends, which kills them
// without a report, as a power cut would. Call Shutdown first to be gentle.
func (n *Node) Run(ctx context.Context) error {
	if err := os.MkdirAll(n.podsDir, 0o700); err != nil {
		return err
	}
	events := record.NewBroadcaster(record.WithContext(ctx))
	defer events.Shutdown()
	events.StartRecordingToSink(&typedcorev1.EventSinkImpl{Interface: n.client.CoreV1().Events("")})
	n.recorder = events.NewRecorder(scheme.Scheme, corev1.EventSource{Component: "kubelet", Host: n.name})
	n.life = ctx
	defer n.running.Wait()
	n.running.Go(func() { n.keepWatching(ctx) })
	return n.keepRegistered(ctx)
}

// Shutdown stops all pods, SIGTERM first and SIGKILL after at most the grace, and returns when no process is left.
func (n *Node) Shutdown(grace time.Duration) {
	n.mu.Lock()
	pods := make([]*pod, 0, len(n.pods))
	for _, p := range n.pods {
		pods = append(pods, p)
	}
	n.mu.Unlock()
	for _, p := range pods {
		p.reporter.mute()
		p.stopper.stop(min(grace, graceOf(p.latest())))
	}
	for _, p := range pods {
		<-p.quiet
	}
}

// keepRegistered tries until it works: the API server may be away, or may not
// have taken in yet what a new cluster's nodes are allowed to do.
func (n *Node) keepRegistered(ctx context.Context) error {
	retry := &backoff{next: 10 * time.Millisecond, most: 500 * time.Millisecond}
	for {
		err := n.register(ctx)
		if ctx.Err() != nil {
			return nil
		}
		klog.ErrorS(err, "Registering the node", "node", n.name)
		if !retry.wait(ctx) {
			return nil
		}
	}
}

// register returns when ctx ends, or early when the API server refuses the node.
func (n *Node) register(parent context.Context) error {
	ctx, cancel := context.WithCancel(parent)
	defer cancel()
	leaseSeconds := int32(n.options.GraceSeconds)
	controller, err := vknode.NewNodeController(
		vknode.NaiveNodeProvider{}, n.spec.object(n.options.EndpointPort), n.client.CoreV1().Nodes(),
		vknode.WithNodeEnableLeaseV1WithRenewInterval(
			n.client.CoordinationV1().Leases(corev1.NamespaceNodeLease), leaseSeconds, time.Duration(leaseSeconds)*time.Second/4),
	)
	if err != nil {
		return err
	}
	go func() {
		select {
		case <-controller.Ready():
			n.onceRegistered.Do(func() { close(n.registered) })
		case <-ctx.Done():
		}
	}()
	return controller.Run(ctx)
}

// deleteObject removes the object of a pod whose processes are gone and whose end is reported.
func (n *Node) deleteObject(ctx context.Context, p *pod) {
	now := int64(0)
	options := metav1.DeleteOptions{GracePeriodSeconds: &now, Preconditions: metav1.NewUIDPreconditions(string(p.uid))}
	retry := &backoff{next: 50 * time.Millisecond, most: 2 * time.Second}
	for {
		err := n.client.CoreV1().Pods(p.namespace).Delete(ctx, p.name, options)
		if err == nil || apierrors.IsNotFound(err) || apierrors.IsConflict(err) || !retry.wait(ctx) {
			return
		}
	}
}

func (n *Node) warn(object *corev1.Pod, reason, message string) {
	n.recorder.Event(object, corev1.EventTypeWarning, reason, message)
}

// searchPath is the PATH of a container with these variables of its own.
func (n *Node) searchPath(asked map[string]string) string {
	if own, set := asked["PATH"]; set {
		return own
	}
	return n.options.BaseEnv["PATH"]
}
