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
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	vknode "github.com/virtual-kubelet/virtual-kubelet/node"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"

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
	images      Images
	baseEnv     map[string]string
	podsDir     string
	apiAddress  string
	capacity    corev1.ResourceList
	gpuResource corev1.ResourceName
	gpus        *gpuPool
	options     Options
	client      kubernetes.Interface
	objects     objects
	recorder    record.EventRecorder
	spawner     *process.Spawner

	registered chan struct{}
	rewatch    chan struct{}
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
		images: options.Images, baseEnv: options.BaseEnv, apiAddress: options.APIAddress, spawner: options.Spawner,
		podsDir:     filepath.Join(options.PodsDir, spec.Name),
		capacity:    spec.capacity(),
		gpuResource: spec.gpuResource(),
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
	return n.register(ctx)
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

func (n *Node) register(ctx context.Context) error {
	if err := n.awaitPermission(ctx); err != nil {
		return err
	}
	leaseSeconds := int32(max(4, n.options.GraceSeconds))
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
			close(n.registered)
		case <-controller.Done():
		}
	}()
	return controller.Run(ctx)
}

// awaitPermission bridges the moment until the API server has taken in the role binding of a new cluster's nodes.
func (n *Node) awaitPermission(ctx context.Context) error {
	retry := &backoff{next: 10 * time.Millisecond, most: 100 * time.Millisecond}
	for {
		_, err := n.client.CoreV1().Nodes().Get(ctx, n.name, metav1.GetOptions{})
		if err == nil || apierrors.IsNotFound(err) {
			return nil
		}
		if !apierrors.IsForbidden(err) || !retry.wait(ctx) {
			return err
		}
	}
}

// Rewatch lists and watches the pods anew, without waiting for the client's
// back-off: for when the API server is back after an outage.
func (n *Node) Rewatch() {
	select {
	case n.rewatch <- struct{}{}:
	default:
	}
}

func (n *Node) keepWatching(ctx context.Context) {
	for ctx.Err() == nil {
		watching, stop := context.WithCancel(ctx)
		factory := n.watchPods(watching)
		select {
		case <-n.rewatch:
		case <-ctx.Done():
		}
		stop()
		// No event of the old watch may come after one of the new.
		factory.Shutdown()
	}
}

func (n *Node) watchPods(ctx context.Context) informers.SharedInformerFactory {
	factory := informers.NewSharedInformerFactoryWithOptions(n.client, 0,
		informers.WithTweakListOptions(func(options *metav1.ListOptions) {
			options.FieldSelector = fields.OneTermEqualSelector("spec.nodeName", n.name).String()
		}))
	informer := factory.Core().V1().Pods().Informer()
	// Adding a handler fails only on an informer that has been stopped.
	_, _ = informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(object any) { n.seen(object.(*corev1.Pod)) },
		UpdateFunc: func(_, object any) { n.seen(object.(*corev1.Pod)) },
		DeleteFunc: func(object any) {
			if unknown, ok := object.(cache.DeletedFinalStateUnknown); ok {
				object = unknown.Obj
			}
			n.lost(object.(*corev1.Pod).UID)
		},
	})
	factory.Start(ctx.Done())
	n.running.Go(func() {
		if cache.WaitForCacheSync(ctx.Done(), informer.HasSynced) {
			n.forgetAllBut(informer.GetStore())
		}
	})
	return factory
}

// forgetAllBut drops the pods whose deletion no watch has seen, and what earlier lives of the node left on the disk.
// What there is to forget is taken down first: a pod that comes in meanwhile is then in the store already.
func (n *Node) forgetAllBut(store cache.Store) {
	n.mu.Lock()
	uids := slices.Collect(maps.Keys(n.pods))
	n.mu.Unlock()
	entries, _ := os.ReadDir(n.podsDir)
	known := map[types.UID]bool{}
	for _, object := range store.List() {
		known[object.(*corev1.Pod).UID] = true
	}
	for _, uid := range uids {
		if !known[uid] {
			n.lost(uid)
		}
	}
	for _, entry := range entries {
		if !known[types.UID(entry.Name())] {
			_ = os.RemoveAll(filepath.Join(n.podsDir, entry.Name()))
		}
	}
}

// seen may be told of another pod under the name of one whose deletion it missed: the uid tells them apart.
func (n *Node) seen(object *corev1.Pod) {
	n.mu.Lock()
	p, known := n.pods[object.UID]
	if !known {
		p = n.newPod(n.life, object)
		n.pods[object.UID] = p
		n.running.Go(func() { p.run(n.life) })
	}
	n.mu.Unlock()
	p.observe(object)
}

func (n *Node) lost(uid types.UID) {
	n.mu.Lock()
	p, known := n.pods[uid]
	delete(n.pods, uid)
	n.mu.Unlock()
	if known {
		p.vanish()
	}
}

// find returns the newest pod of that name, or nil.
func (n *Node) find(namespace, name string) *pod {
	n.mu.Lock()
	defer n.mu.Unlock()
	var found *pod
	for _, p := range n.pods {
		isNewer := found == nil || found.latest().CreationTimestamp.Before(&p.latest().CreationTimestamp)
		if p.namespace == namespace && p.name == name && isNewer {
			found = p
		}
	}
	return found
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
	return strings.TrimSpace(n.baseEnv["PATH"])
}
