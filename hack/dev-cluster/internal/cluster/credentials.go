package cluster

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"opal/hack/dev-cluster/internal/node"
	"opal/hack/dev-cluster/internal/pki"
)

// credentials are the cluster's keys and certificates. The CA and the key that
// signs service-account tokens are kept; the rest is made anew at each start.
type credentials struct {
	authority   *pki.Authority
	server      string
	now         time.Time
	serviceKey  string
	servingCert string
	servingKey  string
	kubeletCert string
	kubeletKey  string
	kubeconfigs map[string]string
}

func issueCredentials(h *home, server string, identities []Identity, now time.Time) (*credentials, error) {
	for _, dir := range []string{h.path("pki"), h.path("kubeconfigs"), h.path("internal")} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, err
		}
	}
	authority, err := pki.Open(h.path("pki"), now)
	if err != nil {
		return nil, err
	}
	c := &credentials{authority: authority, server: server, now: now, serviceKey: h.path("pki", "service-accounts.key"), kubeconfigs: map[string]string{}}
	if _, err := pki.KeepKey(c.serviceKey); err != nil {
		return nil, err
	}
	if err := c.issueServing(); err != nil {
		return nil, err
	}
	for _, identity := range append(identities, Identity{Name: Admin, User: Admin, Groups: []string{"system:masters"}}) {
		file := h.path("kubeconfigs", identity.Name)
		if err := c.writeKubeconfig(file, identity); err != nil {
			return nil, err
		}
		c.kubeconfigs[identity.Name] = file
	}
	for _, name := range []string{controllerManager, scheduler} {
		if err := c.writeKubeconfig(internalKubeconfig(h, name), Identity{User: "system:kube-" + name}); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func internalKubeconfig(h *home, name string) string { return h.path("internal", name+".kubeconfig") }

func (c *credentials) issueServing() error {
	serving, err := c.authority.Server("kube-apiserver", []string{
		"127.0.0.1", "localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", firstServiceIP,
	}, c.now)
	if err != nil {
		return err
	}
	if c.servingCert, c.servingKey, err = c.authority.Save("apiserver", serving); err != nil {
		return err
	}
	kubelet, err := c.authority.Client(node.APIServerUser, []string{"system:masters"}, c.now)
	if err != nil {
		return err
	}
	c.kubeletCert, c.kubeletKey, err = c.authority.Save("apiserver-kubelet-client", kubelet)
	return err
}

func (c *credentials) writeKubeconfig(file string, identity Identity) error {
	pair, err := c.authority.Client(identity.User, identity.Groups, c.now)
	if err != nil {
		return err
	}
	return pki.Kubeconfig{
		Server: c.server, CAPEM: c.authority.CertPEM, User: identity.User, Namespace: identity.Namespace, Client: pair,
	}.Write(filepath.Clean(file))
}

// client talks to the API server as this user, without a rate limit of its own.
func (c *credentials) client(user string, groups ...string) (kubernetes.Interface, error) {
	pair, err := c.authority.Client(user, groups, c.now)
	if err != nil {
		return nil, err
	}
	return kubernetes.NewForConfig(&rest.Config{
		Host: c.server, QPS: -1,
		TLSClientConfig: rest.TLSClientConfig{CAData: c.authority.CertPEM, CertData: pair.CertPEM, KeyData: pair.KeyPEM},
	})
}

// endpointCertificate is what the nodes' log endpoint shows the API server.
func (c *credentials) endpointCertificate() (tls.Certificate, *x509.CertPool, error) {
	pair, err := c.authority.Server("kubelet", []string{"127.0.0.1", "localhost"}, c.now)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(c.authority.CertPEM)
	certificate, err := tls.X509KeyPair(pair.CertPEM, pair.KeyPEM)
	return certificate, pool, err
}
