package node

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	corev1 "k8s.io/api/core/v1"
	internalapi "k8s.io/cri-api/pkg/apis"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
	"k8s.io/cri-client/pkg/logs"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	_ "k8s.io/kubernetes/pkg/apis/core/install" // knows how to read PodLogOptions from a query
)

// APIServerUser is the common name of the one client that the endpoint serves.
const APIServerUser = "kube-apiserver-kubelet-client"

// Endpoint is the part of a kubelet's HTTPS endpoint that the API server needs
// for `kubectl logs`. All nodes of a cluster share one.
type Endpoint struct {
	// Nodes lists the nodes that are running.
	Nodes func() []*Node
}

// Serve answers on the listener until it is closed. Callers must present a
// certificate of the CA that names the API server.
func (e *Endpoint) Serve(listener net.Listener, certificate tls.Certificate, ca *x509.CertPool) error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /containerLogs/{namespace}/{pod}/{container}", e.logs)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "the dev cluster's nodes serve logs only, no exec, attach or port-forward", http.StatusNotImplemented)
	})
	server := &http.Server{Handler: onlyAPIServer(mux), ReadHeaderTimeout: 10 * time.Second}
	return server.Serve(tls.NewListener(listener, &tls.Config{
		Certificates: []tls.Certificate{certificate}, ClientAuth: tls.RequireAndVerifyClientCert,
		ClientCAs: ca, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"},
	}))
}

func onlyAPIServer(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS.PeerCertificates[0].Subject.CommonName != APIServerUser {
			http.Error(w, "Forbidden", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (e *Endpoint) logs(w http.ResponseWriter, r *http.Request) {
	options := &corev1.PodLogOptions{}
	if err := legacyscheme.ParameterCodec.DecodeParameters(r.URL.Query(), corev1.SchemeGroupVersion, options); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	found := e.find(r.PathValue("namespace"), r.PathValue("pod"))
	if found == nil {
		http.Error(w, "the node does not know this pod", http.StatusNotFound)
		return
	}
	file, err := found.logToRead(r.PathValue("container"), options.Previous)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var out io.Writer = w
	if options.Follow {
		out = flushing{w, http.NewResponseController(w)}
	}
	watched := containerState{pod: found, container: r.PathValue("container")}
	err = logs.ReadLogs(r.Context(), nil, file, "", logs.NewLogOptions(options, time.Now()), watched, out, out)
	if err != nil && r.Context().Err() == nil {
		fmt.Fprintf(out, "reading the log failed: %v\n", err)
	}
}

func (e *Endpoint) find(namespace, name string) *pod {
	for _, node := range e.Nodes() {
		if found := node.find(namespace, name); found != nil {
			return found
		}
	}
	return nil
}

// logToRead is the log file of the container's present or last run, or of the run before that.
func (p *pod) logToRead(container string, previous bool) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	status := find(&p.state, container)
	if status == nil {
		return "", fmt.Errorf("pod %s has no container %s", p.name, container)
	}
	attempt := int(status.RestartCount)
	if status.State.Waiting != nil || previous {
		attempt--
	}
	if attempt < 0 {
		return "", fmt.Errorf("container %s of pod %s has not run: no log", container, p.name)
	}
	return p.logFile(container, attempt), nil
}

// containerState is the one question that following a log asks a container runtime.
type containerState struct {
	internalapi.RuntimeService
	pod       *pod
	container string
}

func (c containerState) ContainerStatus(context.Context, string, bool) (*runtimeapi.ContainerStatusResponse, error) {
	c.pod.mu.Lock()
	defer c.pod.mu.Unlock()
	state := runtimeapi.ContainerState_CONTAINER_EXITED
	if status := find(&c.pod.state, c.container); status != nil && status.State.Running != nil {
		state = runtimeapi.ContainerState_CONTAINER_RUNNING
	}
	return &runtimeapi.ContainerStatusResponse{Status: &runtimeapi.ContainerStatus{State: state}}, nil
}

// flushing passes each line on at once, for those who follow a log.
type flushing struct {
	io.Writer
	response *http.ResponseController
}

func (f flushing) Write(line []byte) (int, error) {
	written, err := f.Writer.Write(line)
	if err == nil {
		err = f.response.Flush()
	}
	return written, err
}
