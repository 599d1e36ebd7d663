package node

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// gpuPool lends the node's simulated GPUs by index, as the device plugin does.
type gpuPool struct {
	mu       sync.Mutex
	free     []int
	returned chan struct{}
}

func newGPUPool(count int) *gpuPool {
	pool := &gpuPool{returned: make(chan struct{})}
	for index := range count {
		pool.free = append(pool.free, index)
	}
	return pool
}

// acquire takes the lowest free indices, waiting for them if need be: the
// scheduler counts a pod out when it is over, a moment before its GPUs are back.
func (p *gpuPool) acquire(ctx context.Context, count int) ([]int, error) {
	for {
		p.mu.Lock()
		if len(p.free) >= count {
			taken := slices.Clone(p.free[:count])
			p.free = slices.Clone(p.free[count:])
			p.mu.Unlock()
			return taken, nil
		}
		returned := p.returned
		p.mu.Unlock()
		select {
		case <-returned:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (p *gpuPool) release(indices []int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free = append(p.free, indices...)
	slices.Sort(p.free)
	close(p.returned)
	p.returned = make(chan struct{})
}

// visibleDevices is the value of NVIDIA_VISIBLE_DEVICES.
func visibleDevices(indices []int) string {
	var names []string
	for _, index := range indices {
		names = append(names, strconv.Itoa(index))
	}
	return strings.Join(names, ",")
}
