package cluster

import (
	"strings"
	"testing"
	"time"

	"opal/hack/dev-cluster/internal/node"
)

func aFleet(specs ...node.Spec) *fleet { return newFleet(specs, nil, node.Options{}, nil) }

func TestNodesAreAddedAndForgotten(t *testing.T) {
	f := aFleet(node.Spec{Name: "a", GPUs: 2, GPUClass: "t4"})
	if err := f.add(node.Spec{Name: "b", GPUs: 7, GPUResource: "nvidia.com/mig-1g.10gb", Spot: true}); err != nil {
		t.Fatal(err)
	}
	states := f.states(time.Now())
	if len(states) != 2 || states[0].GPUResource != "nvidia.com/gpu" || states[1].GPUResource != "nvidia.com/mig-1g.10gb" || !states[1].Spot {
		t.Errorf("the nodes are %+v", states)
	}
	f.remove("a")
	if _, err := f.spec("a"); err == nil || !strings.Contains(err.Error(), "only b") {
		t.Errorf("asked for a forgotten node, it said %v", err)
	}
}

func TestWhatANodeCannotBeTold(t *testing.T) {
	f := aFleet(node.Spec{Name: "steady"}, node.Spec{Name: "spot", Spot: true}, node.Spec{Name: "going", Spot: true})
	f.running["steady"], f.running["going"] = &runningNode{}, &runningNode{}
	if err := f.reclaim("going", time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	for what, got := range map[string]error{
		"is no spot node":          f.reclaim("steady", time.Now()),
		"is not running":           f.reclaim("spot", time.Now()),
		"being reclaimed already":  f.reclaim("going", time.Now()),
		"only steady, spot, going": f.reclaim("nowhere", time.Now()),
		"a node steady already":    f.add(node.Spec{Name: "steady"}),
		"lower-case letters":       f.add(node.Spec{Name: "No"}),
		`gpuClass "T4"`:            f.add(node.Spec{Name: "n", GPUClass: "T4"}),
		"is not like nvidia.com":   f.add(node.Spec{Name: "n", GPUResource: "gpu"}),
		"less than no gpus":        f.add(node.Spec{Name: "n", GPUs: -1}),
		"does not come back":       f.start(t.Context(), "going"),
	} {
		if got == nil || !strings.Contains(got.Error(), what) {
			t.Errorf("%q was expected, and it said %v", what, got)
		}
	}
	if left := f.states(time.Now())[2].GoneInSeconds; left == nil || *left < 50 || *left > 60 {
		t.Errorf("it is gone in %v", left)
	}
}
