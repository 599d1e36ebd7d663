package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"opal/hack/dev-cluster/internal/node"
)

// startNode returns when pods can be scheduled on it.
func (s *Supervisor) startNode(ctx context.Context, name string) error {
	s.say("starting node %s", name)
	if err := s.fleet.start(ctx, name); err != nil {
		return err
	}
	return until(ctx, "node "+name, isSchedulable(ctx, s.admin, name))
}

// addNode starts a node that the configuration does not have. It is gone with the cluster's end.
func (s *Supervisor) addNode(ctx context.Context, spec *node.Spec) error {
	if spec == nil {
		return errors.New("add-node needs a node")
	}
	if err := s.fleet.add(*spec); err != nil {
		return err
	}
	if err := s.startNode(ctx, spec.Name); err != nil {
		_ = s.fleet.stop(spec.Name)
		s.fleet.remove(spec.Name)
		return err
	}
	return nil
}

// removeNode ends the node and whatever still runs on it, without a word of it, and deletes its object.
func (s *Supervisor) removeNode(ctx context.Context, name string) error {
	if _, err := s.fleet.spec(name); err != nil {
		return err
	}
	_ = s.fleet.stop(name) // it may be lost already
	if err := s.deleteNode(ctx, name); err != nil {
		return err
	}
	s.fleet.remove(name)
	return nil
}

// forgetOldNodes deletes the objects of nodes that this life of the cluster does not have: nobody else would, and
// they would be listed as lost for ever.
func (s *Supervisor) forgetOldNodes(ctx context.Context) error {
	listed, err := s.admin.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	for _, object := range listed.Items {
		if slices.ContainsFunc(s.config.Nodes, func(spec node.Spec) bool { return spec.Name == object.Name }) {
			continue
		}
		if err := s.deleteNode(ctx, object.Name); err != nil {
			return err
		}
	}
	return nil
}

func (s *Supervisor) deleteNode(ctx context.Context, name string) error {
	err := s.admin.CoreV1().Nodes().Delete(ctx, name, metav1.DeleteOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("delete the object of node %s: %w", name, err)
	}
	return nil
}
