// Command dev-cluster is a whole Kubernetes cluster in one binary, for laptops
// and tests: the real etcd, API server, controller manager and scheduler, and
// nodes whose pods are local processes and whose GPUs are simulated.
//
//	dev-cluster up --config FILE [--exit-on-stdin-eof]   run a cluster in the foreground
//	dev-cluster ctl --dir DIR VERB [NAME]                steer it (see internal/cluster/control.go)
//	dev-cluster kubectl ...                              kubectl; also when called by that name
//
// Clusters share nothing: ports, keys and data are each one's own.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"opal/hack/dev-cluster/internal/cluster"
)

func main() {
	if filepath.Base(os.Args[0]) == "kubectl" {
		os.Args = append([]string{os.Args[0], "kubectl"}, os.Args[1:]...)
	}
	role := ""
	if len(os.Args) > 1 {
		role = os.Args[1]
	}
	var err error
	switch role {
	case "up":
		err = up(os.Args[2:])
	case "ctl":
		err = ctl(os.Args[2:])
	case "kubectl":
		runKubectl(os.Args[2:])
	case "component":
		err = runComponent(os.Args[2:])
	default:
		err = fmt.Errorf("usage: dev-cluster up|ctl|kubectl ...")
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "dev-cluster: %v\n", err)
		os.Exit(1)
	}
}

func up(arguments []string) error {
	flags := flag.NewFlagSet("up", flag.ExitOnError)
	file := flags.String("config", "", "the cluster's configuration, a JSON file")
	onEOF := flags.Bool("exit-on-stdin-eof", false, "stop the cluster when stdin ends, as it does when the caller dies")
	_ = flags.Parse(arguments)
	config, err := cluster.LoadConfig(*file)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	defer stop()
	if *onEOF {
		ended, end := context.WithCancel(ctx)
		ctx = ended
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			end()
		}()
	}
	// The caller may be gone, and with it the readers of our output, while there is still work in stopping.
	signal.Ignore(syscall.SIGPIPE)
	return cluster.Up(ctx, config, os.Stdout, os.Stderr)
}

func ctl(arguments []string) error {
	flags := flag.NewFlagSet("ctl", flag.ExitOnError)
	dir := flags.String("dir", "", "the cluster's directory")
	_ = flags.Parse(arguments)
	return cluster.Control(*dir, cluster.Request{Verb: flags.Arg(0), Name: flags.Arg(1)}, os.Stdout)
}
