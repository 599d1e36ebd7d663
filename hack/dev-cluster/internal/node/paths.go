package node

import (
	"path"
	"slices"
	"strings"
)

// containerPaths turns the paths a container believes in into paths of this
// machine. A local process has no mount namespace, so each container gets a
// root directory in which every mount path is a symbolic link to its volume,
// and every mention of a mount path in the container's command, arguments and
// environment values is prefixed with that root.
//
// What is *not* rewritten: paths inside files, and paths that a program has
// built in. A program that must find a mounted file takes its path from its
// environment or arguments.
type containerPaths struct {
	root   string
	mounts []string
}

func newContainerPaths(root string, mountPaths []string) containerPaths {
	var mounts []string
	for _, mount := range mountPaths {
		if cleaned := path.Clean(mount); cleaned != "/" && cleaned != "." {
			mounts = append(mounts, cleaned)
		}
	}
	// The longest first, so that of two nested mounts the inner one is skipped as a whole.
	slices.SortFunc(mounts, func(a, b string) int { return len(b) - len(a) })
	return containerPaths{root: root, mounts: mounts}
}

// inRoot is where the container's absolute path lies on this machine.
func (p containerPaths) inRoot(containerPath string) string { return path.Join(p.root, containerPath) }

// rewrite prefixes every mention of a mounted path in the text with the root.
// A mention starts at the beginning, after "file://", or after a character that
// cannot be part of a longer path, and ends likewise or with a slash.
func (p containerPaths) rewrite(text string) string {
	var out strings.Builder
	for at := 0; at < len(text); {
		mount := p.mountAt(text, at)
		if mount == "" {
			out.WriteByte(text[at])
			at++
			continue
		}
		out.WriteString(p.root)
		out.WriteString(mount)
		at += len(mount)
	}
	return out.String()
}

func (p containerPaths) mountAt(text string, at int) string {
	if text[at] != '/' || !startsPath(text[:at]) {
		return ""
	}
	for _, mount := range p.mounts {
		rest, found := strings.CutPrefix(text[at:], mount)
		if found && endsName(rest) {
			return mount
		}
	}
	return ""
}

func startsPath(before string) bool {
	return before == "" || strings.HasSuffix(before, "file://") || !isPathByte(before[len(before)-1])
}

func endsName(after string) bool { return after == "" || after[0] == '/' || !isPathByte(after[0]) }

func isPathByte(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || strings.IndexByte("/._-~", b) >= 0
}
