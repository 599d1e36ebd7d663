package node

import "testing"

func TestRewrite(t *testing.T) {
	paths := newContainerPaths("/root", []string{"/etc/opal", "/work/", "/work/deep", "/dev/termination-log", "/"})
	for _, c := range []struct{ name, text, want string }{
		{"the mount itself", "/etc/opal", "/root/etc/opal"},
		{"a file below it", "/etc/opal/shard.json", "/root/etc/opal/shard.json"},
		{"a flag's value", "--config=/etc/opal/a.json", "--config=/root/etc/opal/a.json"},
		{"inside a shell script", "cat /etc/opal/a; ls /work;", "cat /root/etc/opal/a; ls /root/work;"},
		{"a list of paths", "/work/bin:/usr/bin", "/root/work/bin:/usr/bin"},
		{"a file URL", "file:///work/x", "file:///root/work/x"},
		{"a nested mount, once", "/work/deep/x", "/root/work/deep/x"},
		{"quoted", `{"path":"/etc/opal/a"}`, `{"path":"/root/etc/opal/a"}`},
		{"the message file", "echo x > /dev/termination-log", "echo x > /root/dev/termination-log"},
		{"a longer name", "/etc/opal2/a /workshop", "/etc/opal2/a /workshop"},
		{"an extension", "/etc/opal.json", "/etc/opal.json"},
		{"the tail of another path", "/usr/etc/opal", "/usr/etc/opal"},
		{"a URL's path", "https://host/etc/opal/a", "https://host/etc/opal/a"},
		{"nothing", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := paths.rewrite(c.text); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
