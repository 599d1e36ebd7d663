package node

import (
	"context"
	"fmt"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// objects is what a pod refers to and the node fetches for it.
type objects interface {
	ConfigMap(ctx context.Context, namespace, name string) (*corev1.ConfigMap, error)
	Secret(ctx context.Context, namespace, name string) (*corev1.Secret, error)
	// Token issues a service-account token that is bound to the pod.
	Token(ctx context.Context, pod *corev1.Pod, audience string, lifetimeSeconds int64) (token string, expires time.Time, err error)
}

type apiObjects struct{ client kubernetes.Interface }

func (a apiObjects) ConfigMap(ctx context.Context, namespace, name string) (*corev1.ConfigMap, error) {
	return a.client.CoreV1().ConfigMaps(namespace).Get(ctx, name, metav1.GetOptions{})
}

func (a apiObjects) Secret(ctx context.Context, namespace, name string) (*corev1.Secret, error) {
	return a.client.CoreV1().Secrets(namespace).Get(ctx, name, metav1.GetOptions{})
}

func (a apiObjects) Token(ctx context.Context, pod *corev1.Pod, audience string, lifetimeSeconds int64) (string, time.Time, error) {
	ask := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{
		ExpirationSeconds: &lifetimeSeconds,
		BoundObjectRef:    &authenticationv1.BoundObjectReference{Kind: "Pod", APIVersion: "v1", Name: pod.Name, UID: pod.UID},
	}}
	if audience != "" {
		ask.Spec.Audiences = []string{audience}
	}
	account := pod.Spec.ServiceAccountName
	got, err := a.client.CoreV1().ServiceAccounts(pod.Namespace).CreateToken(ctx, account, ask, metav1.CreateOptions{})
	if err != nil {
		return "", time.Time{}, fmt.Errorf("token for service account %s: %w", account, err)
	}
	return got.Status.Token, got.Status.ExpirationTimestamp.Time, nil
}
