package node

import (
	"context"
	"testing"
)

func TestGPUPool(t *testing.T) {
	pool := newGPUPool(3)
	two, _ := pool.acquire(context.Background(), 2)
	one, _ := pool.acquire(context.Background(), 1)
	if got := visibleDevices(two) + " " + visibleDevices(one); got != "0,1 2" {
		t.Fatalf("lent %s", got)
	}
	waited := make(chan []int)
	go func() {
		taken, _ := pool.acquire(context.Background(), 2)
		waited <- taken
	}()
	pool.release(one)
	pool.release(two)
	if got := visibleDevices(<-waited); got != "0,1" {
		t.Errorf("after the return %s", got)
	}
	stopped, stop := context.WithCancel(context.Background())
	stop()
	if _, err := pool.acquire(stopped, 3); err == nil {
		t.Error("a stopped pod got GPUs that are not there")
	}
}
