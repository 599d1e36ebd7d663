package node

import (
	"bytes"
	"context"
	"io"
	"os"
	"strings"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/cri-client/pkg/logs"
)

const (
	// Limits of Kubernetes for a termination message.
	messageBytes     = 4096
	logMessageBytes  = 2048
	logMessageLines  = 80
	startErrorCode   = 128
	startErrorReason = "StartError"
)

// exitCode is the code that Kubernetes shows: a death by signal n is 128+n.
func exitCode(state *os.ProcessState) int32 {
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int32(status.Signal())
	}
	return int32(state.ExitCode())
}

func exitReason(code int32) string {
	if code == 0 {
		return "Completed"
	}
	return "Error"
}

// terminationMessage is what the container left in its message file, or the
// end of its log when it failed without a message and asked for that.
func terminationMessage(container *corev1.Container, messageFile, logFile string, code int32) string {
	message := readHead(messageFile, messageBytes)
	useLog := container.TerminationMessagePolicy == corev1.TerminationMessageFallbackToLogsOnError
	if message == "" && useLog && code != 0 {
		return tailOfLog(logFile)
	}
	return message
}

func readHead(file string, limit int64) string {
	opened, err := os.Open(file)
	if err != nil {
		return ""
	}
	defer opened.Close()
	head, _ := io.ReadAll(io.LimitReader(opened, limit))
	return strings.ToValidUTF8(string(head), "\uFFFD")
}

func tailOfLog(file string) string {
	lines := int64(logMessageLines)
	var out bytes.Buffer
	options := logs.NewLogOptions(&corev1.PodLogOptions{TailLines: &lines}, time.Now())
	if err := logs.ReadLogs(context.Background(), nil, file, "", options, nil, &out, &out); err != nil {
		return ""
	}
	text := out.Bytes()
	return strings.ToValidUTF8(string(text[max(0, len(text)-logMessageBytes):]), "\uFFFD")
}
