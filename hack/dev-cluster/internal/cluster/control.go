package cluster

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"opal/hack/dev-cluster/internal/node"
)

const (
	controlPatience = 60 * time.Second
	// Whoever connects asks at once.
	askPatience = 10 * time.Second
	// How long the end of the cluster waits for answers that are being given.
	lastAnswersPatience = 5 * time.Second
)

// Request is one line of JSON on the control socket; Reply is the line that answers it.
//
//	status                     the parts, their process ids, and the nodes
//	restart|stop|start NAME    a component: etcd, apiserver, controller-manager, scheduler (stop is SIGKILL)
//	add-node                   one more node, as `node` describes it
//	lose-node NAME             the node and its pods' processes end as in a power cut
//	restore-node NAME          the node comes back; pods that it had are reported as lost
//	remove-node NAME           the node, its object and its pods' processes are gone
//	reclaim-node NAME          a spot node is taken back: its pods are told, and after `noticeSeconds` it is gone
//	shutdown                   the cluster stops; the connection ends when it has
type Request struct {
	Verb          string     `json:"verb"`
	Name          string     `json:"name,omitempty"`
	Node          *node.Spec `json:"node,omitempty"`
	NoticeSeconds float64    `json:"noticeSeconds,omitempty"`
}

// Reply says whether the request was carried out.
type Reply struct {
	OK         bool           `json:"ok"`
	Error      string         `json:"error,omitempty"`
	Seconds    float64        `json:"seconds"`
	Components map[string]int `json:"components,omitempty"`
	Nodes      []NodeState    `json:"nodes,omitempty"`
}

type control struct {
	listener net.Listener
	shutdown chan struct{}
	once     sync.Once
	// life ends with the cluster. Its cause is the answer to whoever still waits for one.
	life    context.Context
	end     context.CancelCauseFunc
	answers sync.WaitGroup
	// busy lets one request at a time change the cluster.
	busy sync.Mutex
	// asker is left open at a shutdown: its end tells that the supervisor is gone.
	asker net.Conn
}

func (s *Supervisor) listen() (*control, error) {
	path := ControlSocket(s.home.dir)
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	if _, err := ownTemporaryParent(); err != nil {
		return nil, err
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	c := newControl(listener)
	go c.serve(s.obey)
	return c, nil
}

func newControl(listener net.Listener) *control {
	c := &control{listener: listener, shutdown: make(chan struct{})}
	c.life, c.end = context.WithCancelCause(context.Background())
	return c
}

// obeyFunc carries a request out, and fills in what the reply has beside its success.
type obeyFunc func(ctx context.Context, request Request, reply *Reply) error

func (c *control) serve(obey obeyFunc) {
	for {
		connection, err := c.listener.Accept()
		if err != nil {
			return
		}
		c.answers.Go(func() { c.answer(connection, obey) })
	}
}

// close is told why the cluster ends, and returns when all who had asked for something have their answer.
func (c *control) close(reason error) {
	_ = c.listener.Close()
	if reason == nil {
		reason = errors.New("it was told to stop")
	}
	c.end(fmt.Errorf("the cluster has ended: %w", reason))
	answered := make(chan struct{})
	go func() {
		c.answers.Wait()
		close(answered)
	}()
	select {
	case <-answered:
	case <-time.After(lastAnswersPatience):
	}
}

func (c *control) answer(connection net.Conn, obey obeyFunc) {
	began := time.Now()
	request, err := readRequest(connection)
	reply := Reply{OK: true}
	if err == nil {
		err = c.obeyInTurn(request, obey, &reply)
	}
	if err != nil {
		reply = Reply{Error: err.Error()}
	}
	reply.Seconds = float64(time.Since(began).Milliseconds()) / 1000
	_ = json.NewEncoder(connection).Encode(reply)
	if request.Verb != "shutdown" {
		connection.Close()
		return
	}
	c.once.Do(func() {
		c.asker = connection
		close(c.shutdown)
	})
}

func readRequest(connection net.Conn) (Request, error) {
	var request Request
	_ = connection.SetReadDeadline(time.Now().Add(askPatience))
	// The whole line: what is left unread when a connection is closed may cost the other side our answer.
	line, err := bufio.NewReader(connection).ReadBytes('\n')
	if err != nil {
		return request, fmt.Errorf("a request is one line of JSON: %w", err)
	}
	if err := json.Unmarshal(line, &request); err != nil {
		return Request{}, fmt.Errorf("a request is one line of JSON: %w", err)
	}
	return request, nil
}

func (c *control) obeyInTurn(request Request, obey obeyFunc, reply *Reply) error {
	c.busy.Lock()
	defer c.busy.Unlock()
	ctx, cancel := context.WithTimeoutCause(c.life, controlPatience, fmt.Errorf("it took longer than %s", controlPatience))
	defer cancel()
	err := obey(ctx, request, reply)
	if err != nil && c.life.Err() != nil {
		return context.Cause(c.life)
	}
	return err
}

func (s *Supervisor) obey(ctx context.Context, request Request, reply *Reply) error {
	switch request.Verb {
	case "status":
		reply.Components, reply.Nodes = s.pids(), s.fleet.states(time.Now())
		return nil
	case "restart":
		if err := s.kill(request.Name); err != nil {
			return err
		}
		return s.revive(ctx, request.Name)
	case "stop":
		return s.kill(request.Name)
	case "start":
		return s.revive(ctx, request.Name)
	case "add-node":
		return s.addNode(ctx, request.Node)
	case "lose-node":
		return s.fleet.stop(request.Name)
	case "restore-node":
		return s.startNode(ctx, request.Name)
	case "remove-node":
		return s.removeNode(ctx, request.Name)
	case "reclaim-node":
		return s.reclaimNode(ctx, request.Name, time.Duration(request.NoticeSeconds*float64(time.Second)))
	case "shutdown":
		return nil
	default:
		return fmt.Errorf("unknown verb %q", request.Verb)
	}
}

// kill ends the component at once. A client of the API server goes with it: it can do nothing then, and ends by
// itself, which would be taken for a fault, when it is just starting.
func (s *Supervisor) kill(name string) error {
	component, known := s.components[name]
	if !known {
		return fmt.Errorf("there is no component %q, only %v", name, componentNames)
	}
	if name == etcd || name == apiserver {
		for _, client := range clientNames {
			s.bereft[client] = s.bereft[client] || s.components[client].pid() != 0
			s.components[client].stop(syscall.SIGKILL, stopPatience)
		}
	}
	component.stop(syscall.SIGKILL, stopPatience)
	return nil
}

// revive starts the component, and with the API server and its database the clients that went with them. The nodes
// stay, but would be in their back-off for up to half a minute after an outage; they watch anew.
func (s *Supervisor) revive(ctx context.Context, name string) error {
	isServer := name == etcd || name == apiserver
	if !isServer && s.isAway() {
		return fmt.Errorf("%s needs etcd and the API server: start them first", name)
	}
	if err := s.startComponent(ctx, name); err != nil {
		return err
	}
	if !isServer || s.isAway() {
		return nil
	}
	if err := until(ctx, "the API server", isServing(ctx, s.server, s.credentials.authority.CertPEM)); err != nil {
		return err
	}
	for _, client := range clientNames {
		if !s.bereft[client] {
			continue
		}
		if err := s.startComponent(ctx, client); err != nil {
			return err
		}
		s.bereft[client] = false
	}
	for _, running := range s.fleet.nodes() {
		running.Rewatch()
	}
	return nil
}

func (s *Supervisor) isAway() bool {
	return s.components[etcd].pid() == 0 || s.components[apiserver].pid() == 0
}

func (s *Supervisor) pids() map[string]int {
	pids := map[string]int{}
	for name, component := range s.components {
		pids[name] = component.pid()
	}
	return pids
}

// Control sends one request to the supervisor of the cluster in dir and prints its answer.
func Control(dir string, request Request, out io.Writer) error {
	connection, err := net.Dial("unix", ControlSocket(dir))
	if err != nil {
		return fmt.Errorf("no cluster is running in %s: %w", dir, err)
	}
	defer connection.Close()
	if err := json.NewEncoder(connection).Encode(request); err != nil {
		return err
	}
	answer, err := io.ReadAll(connection)
	if err != nil {
		return fmt.Errorf("the cluster in %s did not answer: %w", dir, err)
	}
	var reply Reply
	if err := json.Unmarshal(answer, &reply); err != nil {
		return err
	}
	if !reply.OK {
		return errors.New(reply.Error)
	}
	_, err = out.Write(answer)
	return err
}
