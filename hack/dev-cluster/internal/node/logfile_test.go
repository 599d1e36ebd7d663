package node

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestLogFileIsCappedAndKeepsTheNewest(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c", "0.log")
	log, err := createLog(path)
	if err != nil {
		t.Fatal(err)
	}
	line := strings.Repeat("x", 1000) + "\n"
	log.copy("stdout", strings.NewReader(strings.Repeat(line, 3*logFileBytes/len(line))+"the end\n"))
	log.close()
	total := int64(0)
	for _, file := range []string{path, path + ".1"} {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		total += info.Size()
	}
	if total > 2*logFileBytes {
		t.Errorf("the log takes %d bytes", total)
	}
	if newest := tailOfLog(path); !strings.HasSuffix(newest, "the end\n") {
		t.Errorf("its last line is lost")
	}
}

func TestTerminationMessage(t *testing.T) {
	dir := t.TempDir()
	messageFile, logPath := filepath.Join(dir, "message"), filepath.Join(dir, "log")
	log, _ := createLog(logPath)
	log.copy("stderr", strings.NewReader("it broke\n"))
	log.close()
	fallback := aContainer("FallbackToLogsOnError")
	if got := terminationMessage(fallback, messageFile, logPath, 1); got != "it broke\n" {
		t.Errorf("without a message: %q", got)
	}
	if got := terminationMessage(fallback, messageFile, logPath, 0); got != "" {
		t.Errorf("after success: %q", got)
	}
	if err := os.WriteFile(messageFile, []byte(strings.Repeat("m", 5000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := terminationMessage(aContainer("File"), messageFile, logPath, 1); len(got) != messageBytes {
		t.Errorf("a long message has %d bytes", len(got))
	}
}
