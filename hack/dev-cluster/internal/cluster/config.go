package cluster

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"opal/hack/dev-cluster/internal/node"
)

// Admin is the identity that always exists and may do everything.
const Admin = "admin"

// Config is what `up` is told, as one JSON file.
type Config struct {
	// Dir keeps the cluster for a later `up`; "" means a temporary directory, removed at the end.
	Dir string `json:"dir"`
	// Identities get one kubeconfig each, beside the one of admin.
	Identities []Identity `json:"identities"`
	// Images maps an image's name, without tag, to the command line that stands for its entry point.
	Images node.Images `json:"images"`
	Nodes  []node.Spec `json:"nodes"`
	// PassEnv names the variables of this machine that pods inherit, beside PATH, HOME, TMPDIR and LANG.
	PassEnv []string `json:"passEnv"`
	// NodeGraceSeconds is after how long a silence a node counts as lost; 0 means 40.
	NodeGraceSeconds int `json:"nodeGraceSeconds"`
	// ExtraArgs are further flags by component: etcd, apiserver, controller-manager, scheduler.
	ExtraArgs map[string][]string `json:"extraArgs"`
}

// Identity is a user with a client certificate. A service account is one too:
// user system:serviceaccount:NAMESPACE:NAME, group system:serviceaccounts.
type Identity struct {
	Name      string   `json:"name"`
	User      string   `json:"user"`
	Groups    []string `json:"groups"`
	Namespace string   `json:"namespace"`
}

const standardNodeGraceSeconds = 40

// LoadConfig reads and checks the file, and names all that is wrong with it at once.
func LoadConfig(file string) (Config, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return Config{}, err
	}
	var config Config
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&config); err != nil {
		return Config{}, fmt.Errorf("%s: %w", file, err)
	}
	if config.NodeGraceSeconds == 0 {
		config.NodeGraceSeconds = standardNodeGraceSeconds
	}
	if err := config.check(); err != nil {
		return Config{}, fmt.Errorf("%s:\n%w", file, err)
	}
	return config, nil
}

func (c Config) check() error {
	var problems []error
	report := func(format string, arguments ...any) { problems = append(problems, fmt.Errorf(format, arguments...)) }
	if c.Dir != "" && !filepath.IsAbs(c.Dir) {
		report("dir %q is not an absolute path", c.Dir)
	}
	if c.NodeGraceSeconds < 4 {
		report("nodeGraceSeconds is %d, the least is 4", c.NodeGraceSeconds)
	}
	names := map[string]bool{Admin: true}
	for _, identity := range c.Identities {
		if len(validation.IsDNS1123Label(identity.Name)) > 0 || identity.User == "" {
			report("identity %q needs a name of lower-case letters, digits and dashes, and a user", identity.Name)
		}
		if names[identity.Name] {
			report("identity %q is there twice (%s always exists)", identity.Name, Admin)
		}
		names[identity.Name] = true
	}
	problems = append(problems, c.checkNodes()...)
	for image, commandLine := range c.Images {
		if len(commandLine) == 0 {
			report("image %q has no command line", image)
		}
	}
	for name := range c.ExtraArgs {
		if !slices.Contains(componentNames, name) {
			report("extraArgs names %q, which is none of %v", name, componentNames)
		}
	}
	return errors.Join(problems...)
}

func (c Config) checkNodes() []error {
	var problems []error
	names := map[string]bool{}
	for _, spec := range c.Nodes {
		if err := checkNode(spec); err != nil {
			problems = append(problems, err)
		}
		if names[spec.Name] {
			problems = append(problems, fmt.Errorf("node %q is there twice", spec.Name))
		}
		names[spec.Name] = true
	}
	return problems
}

func checkNode(spec node.Spec) error {
	var problems []error
	report := func(format string, arguments ...any) { problems = append(problems, fmt.Errorf(format, arguments...)) }
	if len(validation.IsDNS1123Label(spec.Name)) > 0 {
		report("node %q needs a name of lower-case letters, digits and dashes", spec.Name)
	}
	if spec.GPUClass != "" && len(validation.IsDNS1123Label(spec.GPUClass)) > 0 {
		report("node %q: gpuClass %q is not of lower-case letters, digits and dashes", spec.Name, spec.GPUClass)
	}
	if spec.GPUResource != "" && (!strings.Contains(spec.GPUResource, "/") || len(validation.IsQualifiedName(spec.GPUResource)) > 0) {
		report("node %q: gpuResource %q is not like nvidia.com/gpu", spec.Name, spec.GPUResource)
	}
	if spec.GPUs < 0 || spec.Pods < 0 {
		report("node %q has less than no gpus or pods", spec.Name)
	}
	return errors.Join(problems...)
}

// baseEnv is what a container inherits from this machine: nothing but these variables.
func (c Config) baseEnv(lookup func(string) (string, bool)) map[string]string {
	inherited := map[string]string{}
	for _, name := range slices.Concat([]string{"PATH", "HOME", "TMPDIR", "LANG"}, c.PassEnv) {
		if value, set := lookup(name); set {
			inherited[name] = value
		}
	}
	return inherited
}
