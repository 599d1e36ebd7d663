package cluster

import (
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
)

const controlPatience = 60 * time.Second

// Request is one line of JSON on the control socket; Reply is the line that answers it.
//
//	status                   the parts and their process ids
//	restart|stop|start NAME  a component: etcd, apiserver, controller-manager, scheduler (stop is SIGKILL)
//	stop-node NAME           the node and its pods' processes end as in a power cut
//	start-node NAME          the node comes back; pods that it had are reported as lost
//	shutdown                 the cluster stops; the connection ends when it has
type Request struct {
	Verb string `json:"verb"`
	Name string `json:"name,omitempty"`
}

// Reply says whether the request was carried out.
type Reply struct {
	OK         bool            `json:"ok"`
	Error      string          `json:"error,omitempty"`
	Seconds    float64         `json:"seconds"`
	Components map[string]int  `json:"components,omitempty"`
	Nodes      map[string]bool `json:"nodes,omitempty"`
}

type control struct {
	listener net.Listener
	shutdown chan struct{}
	once     sync.Once
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
	c := &control{listener: listener, shutdown: make(chan struct{})}
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go s.answer(c, connection)
		}
	}()
	return c, nil
}

func (c *control) close() { _ = c.listener.Close() }

func (s *Supervisor) answer(c *control, connection net.Conn) {
	var request Request
	if err := json.NewDecoder(connection).Decode(&request); err != nil {
		connection.Close()
		return
	}
	began := time.Now()
	reply := Reply{OK: true}
	if err := s.obey(c, request, &reply); err != nil {
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

func (s *Supervisor) obey(c *control, request Request, reply *Reply) error {
	c.busy.Lock()
	defer c.busy.Unlock()
	ctx, cancel := context.WithTimeoutCause(context.Background(), controlPatience, fmt.Errorf("it took longer than %s", controlPatience))
	defer cancel()
	switch request.Verb {
	case "status":
		s.fillStatus(reply)
		return nil
	case "restart":
		return errors.Join(s.kill(request.Name), s.revive(ctx, request.Name))
	case "stop":
		return s.kill(request.Name)
	case "start":
		return s.revive(ctx, request.Name)
	case "stop-node":
		return s.fleet.stop(request.Name)
	case "start-node":
		return s.startNode(ctx, request.Name)
	case "shutdown":
		return nil
	default:
		return fmt.Errorf("unknown verb %q", request.Verb)
	}
}

func (s *Supervisor) kill(name string) error {
	component, known := s.components[name]
	if !known {
		return fmt.Errorf("there is no component %q, only %v", name, componentNames)
	}
	component.stop(syscall.SIGKILL, stopPatience)
	return nil
}

// revive starts the component. After an outage of the API server or its
// database the cluster's own clients would stay in their back-off for up to half
// a minute; they hold nothing, so they are started anew.
func (s *Supervisor) revive(ctx context.Context, name string) error {
	if err := s.startComponent(ctx, name); err != nil {
		return err
	}
	if name != etcd && name != apiserver || s.components[apiserver].pid() == 0 {
		return nil
	}
	if err := until(ctx, "the API server", isServing(ctx, s.server, s.credentials.authority.CertPEM)); err != nil {
		return err
	}
	for _, client := range []string{controllerManager, scheduler} {
		if s.components[client].pid() == 0 {
			continue
		}
		if err := errors.Join(s.kill(client), s.startComponent(ctx, client)); err != nil {
			return err
		}
	}
	for _, running := range s.fleet.nodes() {
		running.Rewatch()
	}
	return nil
}

func (s *Supervisor) fillStatus(reply *Reply) {
	reply.Components, reply.Nodes = map[string]int{}, map[string]bool{}
	for name, component := range s.components {
		reply.Components[name] = component.pid()
	}
	for _, spec := range s.config.Nodes {
		reply.Nodes[spec.Name] = s.fleet.isRunning(spec.Name)
	}
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
