package pki

import (
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// Kubeconfig describes one identity's way to the API server.
type Kubeconfig struct {
	Server    string
	CAPEM     []byte
	User      string
	Namespace string
	Client    Pair
}

// Write puts the kubeconfig into a file of mode 0600, with every certificate embedded.
func (k Kubeconfig) Write(file string) error {
	config := clientcmdapi.NewConfig()
	config.Clusters["dev"] = &clientcmdapi.Cluster{Server: k.Server, CertificateAuthorityData: k.CAPEM}
	config.AuthInfos[k.User] = &clientcmdapi.AuthInfo{
		ClientCertificateData: k.Client.CertPEM,
		ClientKeyData:         k.Client.KeyPEM,
	}
	config.Contexts["dev"] = &clientcmdapi.Context{Cluster: "dev", AuthInfo: k.User, Namespace: k.Namespace}
	config.CurrentContext = "dev"
	return clientcmd.WriteToFile(*config, file)
}
