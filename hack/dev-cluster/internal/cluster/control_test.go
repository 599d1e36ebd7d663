package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
)

// aControl serves on a socket of its own until the test ends.
func aControl(t *testing.T, obey obeyFunc) (*control, func(request string) Reply) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s")
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	c := newControl(listener)
	go c.serve(obey)
	t.Cleanup(func() { c.close(nil) })
	return c, func(request string) Reply {
		connection, err := net.Dial("unix", path)
		if err != nil {
			return Reply{Error: err.Error()}
		}
		defer connection.Close()
		if _, err := io.WriteString(connection, request); err != nil {
			return Reply{Error: err.Error()}
		}
		answer, err := io.ReadAll(connection)
		if err != nil {
			return Reply{Error: err.Error()}
		}
		var reply Reply
		if err := json.Unmarshal(answer, &reply); err != nil {
			return Reply{Error: "no answer: " + err.Error()}
		}
		return reply
	}
}

func TestWhoeverAsksIsAnswered(t *testing.T) {
	_, ask := aControl(t, func(_ context.Context, request Request, _ *Reply) error {
		if request.Verb == "bad" {
			return errors.New("that is bad")
		}
		return nil
	})
	for request, want := range map[string]string{
		`{"verb":"good"}` + "\n":   "",
		`{"verb":"bad"}` + "\n":    "that is bad",
		"nonsense\n":               "one line of JSON",
		`{"verb":"good"}` + "\n\n": "",
	} {
		reply := ask(request)
		if reply.OK != (want == "") || !strings.Contains(reply.Error, want) {
			t.Errorf("%q is answered %+v", request, reply)
		}
	}
}

func TestTheClustersEndIsTheAnswerToWhatIsUnderWay(t *testing.T) {
	began := make(chan struct{})
	c, ask := aControl(t, func(ctx context.Context, _ Request, _ *Reply) error {
		close(began)
		<-ctx.Done()
		return errors.New("waiting for something")
	})
	answer := make(chan Reply)
	go func() { answer <- ask(`{"verb":"restart","name":"apiserver"}` + "\n") }()
	<-began
	c.close(errors.New("etcd ended"))
	if reply := <-answer; reply.OK || !strings.Contains(reply.Error, "the cluster has ended: etcd ended") {
		t.Errorf("it was told %+v", reply)
	}
}
