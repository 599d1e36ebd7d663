// Package pki is the cluster's own certificate authority: one CA that is kept
// in the cluster's directory, and short calls that issue what each part needs.
// Keys are ECDSA P-256, which takes well under a millisecond to make.
package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

const (
	caLifetime   = 10 * 365 * 24 * time.Hour
	leafLifetime = 365 * 24 * time.Hour
	// backdate keeps a clock that is a little behind from refusing a fresh certificate.
	backdate = 5 * time.Minute
)

// Authority signs certificates. Its key and certificate live in one directory.
type Authority struct {
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	// CertPEM is the CA certificate, to be trusted by clients.
	CertPEM []byte
}

// Pair is a certificate and its private key, both PEM.
type Pair struct{ CertPEM, KeyPEM []byte }

// Open loads the authority from dir, or makes one there when there is none.
func Open(dir string, now time.Time) (*Authority, error) {
	keyPEM, err := KeepKey(filepath.Join(dir, "ca.key"))
	if err != nil {
		return nil, err
	}
	key, err := parseKey(keyPEM)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", filepath.Join(dir, "ca.key"), err)
	}
	authority := &Authority{dir: dir, key: key}
	certFile := filepath.Join(dir, "ca.crt")
	certPEM, err := os.ReadFile(certFile)
	if os.IsNotExist(err) {
		certPEM, err = selfSign(key, now)
		if err == nil {
			err = os.WriteFile(certFile, certPEM, 0o644)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("certificate authority: %w", err)
	}
	block, _ := pem.Decode(certPEM)
	if block == nil {
		return nil, fmt.Errorf("%s holds no certificate", certFile)
	}
	authority.cert, err = x509.ParseCertificate(block.Bytes)
	authority.CertPEM = certPEM
	return authority, err
}

// Server issues a certificate for a server reached by these host names and IP addresses.
func (a *Authority) Server(commonName string, hosts []string, now time.Time) (Pair, error) {
	template := &x509.Certificate{
		Subject:     pkix.Name{CommonName: commonName},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	return a.issue(template, now)
}

// Client issues a certificate that Kubernetes reads as this user in these groups.
func (a *Authority) Client(user string, groups []string, now time.Time) (Pair, error) {
	return a.issue(&x509.Certificate{
		Subject:     pkix.Name{CommonName: user, Organization: groups},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, now)
}

// CertFile is the path of the CA certificate.
func (a *Authority) CertFile() string { return filepath.Join(a.dir, "ca.crt") }

// Save writes the pair as NAME.crt and NAME.key beside the CA and returns both paths.
func (a *Authority) Save(name string, pair Pair) (certFile, keyFile string, err error) {
	certFile, keyFile = filepath.Join(a.dir, name+".crt"), filepath.Join(a.dir, name+".key")
	if err = os.WriteFile(certFile, pair.CertPEM, 0o644); err != nil {
		return "", "", err
	}
	return certFile, keyFile, os.WriteFile(keyFile, pair.KeyPEM, 0o600)
}

// KeepKey returns the PEM of the private key in the file, made first when the file does not exist.
func KeepKey(file string) ([]byte, error) {
	keyPEM, err := os.ReadFile(file)
	if err == nil || !os.IsNotExist(err) {
		return keyPEM, err
	}
	_, keyPEM, err = newKey()
	if err != nil {
		return nil, err
	}
	return keyPEM, os.WriteFile(file, keyPEM, 0o600)
}

func (a *Authority) issue(template *x509.Certificate, now time.Time) (Pair, error) {
	key, keyPEM, err := newKey()
	if err != nil {
		return Pair{}, err
	}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	certPEM, err := sign(template, a.cert, signing{public: &key.PublicKey, signer: a.key, now: now, lifetime: leafLifetime})
	return Pair{CertPEM: certPEM, KeyPEM: keyPEM}, err
}

type signing struct {
	public   *ecdsa.PublicKey
	signer   *ecdsa.PrivateKey
	now      time.Time
	lifetime time.Duration
}

func selfSign(key *ecdsa.PrivateKey, now time.Time) ([]byte, error) {
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "dev-cluster-ca"},
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	return sign(template, template, signing{public: &key.PublicKey, signer: key, now: now, lifetime: caLifetime})
}

func sign(template, parent *x509.Certificate, with signing) ([]byte, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	template.SerialNumber = serial
	template.NotBefore = with.now.Add(-backdate)
	template.NotAfter = with.now.Add(with.lifetime)
	der, err := x509.CreateCertificate(rand.Reader, template, parent, with.public, with.signer)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), nil
}

func newKey() (*ecdsa.PrivateKey, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, nil, err
	}
	return key, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}), nil
}

func parseKey(keyPEM []byte) (*ecdsa.PrivateKey, error) {
	block, _ := pem.Decode(keyPEM)
	if block == nil {
		return nil, fmt.Errorf("no PEM private key in it")
	}
	return x509.ParseECPrivateKey(block.Bytes)
}
