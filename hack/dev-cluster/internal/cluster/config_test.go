package cluster

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func load(t *testing.T, content string) (Config, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config.json")
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return LoadConfig(file)
}

func TestConfigNamesAllProblemsAtOnce(t *testing.T) {
	_, err := load(t, `{"dir":"here","nodeGraceSeconds":1,"identities":[{"name":"admin","user":"x"},{"name":"A","user":"x"}],
		"nodes":[{"name":"n"},{"name":"n"}],"images":{"i":[]},"extraArgs":{"kubelet":[]}}`)
	for _, problem := range []string{`dir "here"`, "nodeGraceSeconds", `"admin"`, `"A"`, `node "n"`, `image "i"`, `"kubelet"`} {
		if err == nil || !strings.Contains(err.Error(), problem) {
			t.Errorf("%s is missing in: %v", problem, err)
		}
	}
}

func TestConfigRefusesAFieldThatItDoesNotKnow(t *testing.T) {
	if _, err := load(t, `{"node":[]}`); err == nil {
		t.Error("a misspelt field was taken")
	}
}

func TestPodsInheritOnlyWhatIsNamed(t *testing.T) {
	config, err := load(t, `{"passEnv":["OPAL_CACHE"]}`)
	if err != nil {
		t.Fatal(err)
	}
	machine := map[string]string{"PATH": "/bin", "OPAL_CACHE": "/c", "SECRET": "s"}
	got := config.baseEnv(func(name string) (string, bool) { value, set := machine[name]; return value, set })
	if len(got) != 2 || got["PATH"] != "/bin" || got["OPAL_CACHE"] != "/c" {
		t.Errorf("they inherit %v", got)
	}
}
