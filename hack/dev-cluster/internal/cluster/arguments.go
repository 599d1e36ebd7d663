package cluster

import (
	"fmt"
	"os"
	"strings"
)

const (
	etcd              = "etcd"
	apiserver         = "apiserver"
	controllerManager = "controller-manager"
	scheduler         = "scheduler"
	// nodes is no component, they live in the supervisor, but has a log as the others do.
	nodes = "nodes"

	serviceRange   = "10.96.0.0/16"
	firstServiceIP = "10.96.0.1"
	issuer         = "https://kubernetes.default.svc"

	// Both sockets are files in the cluster's directory, which is where etcd and
	// the API server run: a relative name is short whatever the directory's is.
	// etcd wants the form host:port even of a file.
	etcdClients = "unix://etcd.sock:0"
	etcdPeers   = "unix://peer.sock:0"
	etcdSocket  = "etcd.sock:0"
)

// componentNames in the order of their start.
var componentNames = []string{etcd, apiserver, controllerManager, scheduler}

// clientNames are those that work through the API server.
var clientNames = []string{controllerManager, scheduler}

// The controllers that something in a cluster of jobs depends on. Each further one costs memory and start time.
var controllers = []string{
	"clusterrole-aggregation-controller", "cronjob-controller", "deployment-controller", "disruption-controller",
	"garbage-collector-controller", "job-controller", "namespace-controller", "node-lifecycle-controller",
	"pod-garbage-collector-controller", "replicaset-controller", "resourcequota-controller",
	"root-ca-certificate-publisher-controller", "serviceaccount-controller", "taint-eviction-controller",
	"ttl-after-finished-controller", "validatingadmissionpolicy-status-controller",
}

const authenticationConfig = `apiVersion: apiserver.config.k8s.io/v1
kind: AuthenticationConfiguration
anonymous:
  enabled: true
  conditions: [{path: /livez}, {path: /readyz}, {path: /healthz}]
`

const schedulerConfig = `apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
leaderElection: {leaderElect: false}
clientConnection: {kubeconfig: %q, qps: 500, burst: 1000}
`

func etcdArguments() []string {
	return []string{
		"--data-dir=etcd", "--log-level=warn",
		"--listen-client-urls=" + etcdClients, "--advertise-client-urls=" + etcdClients,
		"--listen-peer-urls=" + etcdPeers, "--initial-advertise-peer-urls=" + etcdPeers,
		"--initial-cluster=default=" + etcdPeers,
		// A killed process loses nothing without fsync, only a machine that loses power does.
		"--unsafe-no-fsync",
	}
}

func apiserverArguments(h *home, c *credentials, port int) ([]string, error) {
	authentication := h.path("internal", "authentication.yaml")
	if err := os.WriteFile(authentication, []byte(authenticationConfig), 0o600); err != nil {
		return nil, err
	}
	return []string{
		"--etcd-servers=" + etcdClients,
		"--bind-address=127.0.0.1", "--advertise-address=127.0.0.1",
		fmt.Sprintf("--secure-port=%d", port), "--permit-port-sharing",
		"--tls-cert-file=" + c.servingCert, "--tls-private-key-file=" + c.servingKey,
		"--client-ca-file=" + c.authority.CertFile(),
		"--authentication-config=" + authentication, "--authorization-mode=RBAC",
		"--service-account-issuer=" + issuer,
		"--service-account-key-file=" + c.serviceKey, "--service-account-signing-key-file=" + c.serviceKey,
		"--service-cluster-ip-range=" + serviceRange,
		"--kubelet-client-certificate=" + c.kubeletCert, "--kubelet-client-key=" + c.kubeletKey,
		"--kubelet-certificate-authority=" + c.authority.CertFile(), "--kubelet-preferred-address-types=InternalIP",
		"--allow-privileged", "--profiling=false",
		// The kubernetes service needs no endpoints: pods are told the address in their environment.
		"--endpoint-reconciler-type=none",
	}, nil
}

func controllerManagerArguments(h *home, c *credentials, nodeGraceSeconds int) []string {
	return []string{
		"--kubeconfig=" + internalKubeconfig(h, controllerManager),
		"--leader-elect=false", "--secure-port=0", "--profiling=false",
		"--use-service-account-credentials", "--root-ca-file=" + c.authority.CertFile(),
		"--service-account-private-key-file=" + c.serviceKey,
		"--controllers=" + strings.Join(controllers, ","),
		"--kube-api-qps=500", "--kube-api-burst=1000",
		fmt.Sprintf("--node-monitor-grace-period=%ds", nodeGraceSeconds), "--node-monitor-period=1s",
	}
}

func schedulerArguments(h *home) ([]string, error) {
	file := h.path("internal", "scheduler.yaml")
	content := fmt.Sprintf(schedulerConfig, internalKubeconfig(h, scheduler))
	return []string{"--config=" + file, "--secure-port=0"}, os.WriteFile(file, []byte(content), 0o600)
}
