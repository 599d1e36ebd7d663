package pki

import (
	"crypto/tls"
	"crypto/x509"
	"testing"
	"time"
)

func TestIssuedCertificates(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	authority, err := Open(dir, now)
	if err != nil {
		t.Fatal(err)
	}
	server, err := authority.Server("server", []string{"127.0.0.1", "localhost"}, now)
	if err != nil {
		t.Fatal(err)
	}
	// A later start in the same directory must find the same authority.
	again, err := Open(dir, now)
	if err != nil {
		t.Fatal(err)
	}
	client, err := again.Client("alice", []string{"shops"}, now)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(again.CertPEM)
	serverLeaf, clientLeaf := leaf(t, server), leaf(t, client)
	if _, err := serverLeaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: "127.0.0.1"}); err != nil {
		t.Errorf("the server's: %v", err)
	}
	usage := []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	if _, err := clientLeaf.Verify(x509.VerifyOptions{Roots: roots, KeyUsages: usage}); err != nil {
		t.Errorf("the client's: %v", err)
	}
	if clientLeaf.Subject.CommonName != "alice" || clientLeaf.Subject.Organization[0] != "shops" {
		t.Errorf("the client is %v", clientLeaf.Subject)
	}
}

func leaf(t *testing.T, pair Pair) *x509.Certificate {
	t.Helper()
	certificate, err := tls.X509KeyPair(pair.CertPEM, pair.KeyPEM)
	if err != nil {
		t.Fatal(err)
	}
	return certificate.Leaf
}
