package main

import (
	"fmt"
	"os"

	etcd "go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	"k8s.io/component-base/logs"
	_ "k8s.io/component-base/metrics/prometheus/clientgo" // client metrics, as in the real binaries
	_ "k8s.io/component-base/metrics/prometheus/version"
	kubectl "k8s.io/kubectl/pkg/cmd"
	"k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"

	"opal/hack/dev-cluster/internal/process"
)

// runComponent is what the supervisor starts: PODSDIR NAME FLAGS... It ends with the supervisor.
func runComponent(arguments []string) error {
	if len(arguments) < 2 {
		return fmt.Errorf("components are started by `dev-cluster up`")
	}
	process.DieWithSupervisor(arguments[0])
	os.Args = arguments[1:]
	switch os.Args[0] {
	case "etcd":
		etcd.Main(os.Args)
	case "apiserver":
		os.Exit(cli.Run(apiserver.NewAPIServerCommand()))
	case "controller-manager":
		os.Exit(cli.Run(controllermanager.NewControllerManagerCommand()))
	case "scheduler":
		os.Exit(cli.Run(scheduler.NewSchedulerCommand()))
	}
	return fmt.Errorf("there is no component %q", os.Args[0])
}

func runKubectl(arguments []string) {
	os.Args = append([]string{"kubectl"}, arguments...)
	// Its own main reads the verbosity before it builds the command; so must this one.
	_, _ = logs.GlogSetter(kubectl.GetLogVerbosity(os.Args))
	if err := cli.RunNoErrOutput(kubectl.NewDefaultKubectlCommand()); err != nil {
		util.CheckErr(err)
	}
}
