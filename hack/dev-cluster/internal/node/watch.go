package node

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/tools/cache"
)

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
