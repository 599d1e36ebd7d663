package node

import (
	"path/filepath"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/klog/v2"
)

// mountOfServiceAccount is where the API server's admission mounts the default token.
const mountOfServiceAccount = "/var/run/secrets/kubernetes.io/serviceaccount"

// kubeconfigFile stands in for the in-cluster configuration, whose paths are
// built into every client and so cannot be rewritten: clients look at
// KUBECONFIG first. It names the mounted token, which is renewed in its place.
// A container without that mount gets "".
func (p *pod) kubeconfigFile(container *corev1.Container) string {
	if !hasMount(container, mountOfServiceAccount) {
		return ""
	}
	mounted := filepath.Join(p.dir, "containers", container.Name, mountOfServiceAccount)
	config := clientcmdapi.NewConfig()
	config.Clusters["in-cluster"] = &clientcmdapi.Cluster{
		Server: "https://" + p.node.options.APIAddress, CertificateAuthority: filepath.Join(mounted, "ca.crt"),
	}
	config.AuthInfos["pod"] = &clientcmdapi.AuthInfo{TokenFile: filepath.Join(mounted, "token")}
	config.Contexts["in-cluster"] = &clientcmdapi.Context{Cluster: "in-cluster", AuthInfo: "pod", Namespace: p.namespace}
	config.CurrentContext = "in-cluster"
	file := filepath.Join(p.dir, "containers", container.Name+".kubeconfig")
	if err := clientcmd.WriteToFile(*config, file); err != nil {
		klog.ErrorS(err, "No kubeconfig for a pod", "pod", klog.KRef(p.namespace, p.name))
		return ""
	}
	return file
}

func hasMount(container *corev1.Container, mountPath string) bool {
	for _, mount := range container.VolumeMounts {
		if strings.TrimSuffix(mount.MountPath, "/") == mountPath {
			return true
		}
	}
	return false
}
