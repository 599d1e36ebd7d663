package node

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
)

const (
	// A container's log keeps its newest bytes: when the file is full it
	// becomes the one older file, which the next full one replaces.
	logFileBytes = 10 << 20
	// Longer lines are stored in parts, as container runtimes do.
	logPartBytes = 16 << 10
)

// logFile writes a container's output in the CRI format, "TIME STREAM F|P LINE".
type logFile struct {
	mu   sync.Mutex
	path string
	file *os.File
	size int64
}

func createLog(path string) (*logFile, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	file, err := os.Create(path)
	return &logFile{path: path, file: file}, err
}

// copy stores what the reader yields until its end. Errors of the disk end the
// storing but not the reading, so that the writing process never blocks.
func (l *logFile) copy(stream string, from io.Reader) {
	reader := bufio.NewReaderSize(from, logPartBytes)
	for {
		part, isPrefix, err := reader.ReadLine()
		if err != nil {
			return
		}
		tag := "F"
		if isPrefix {
			tag = "P"
		}
		if l.write(fmt.Appendf(nil, "%s %s %s %s\n", time.Now().UTC().Format(time.RFC3339Nano), stream, tag, part)) != nil {
			_, _ = io.Copy(io.Discard, reader)
			return
		}
	}
}

func (l *logFile) write(line []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.size > 0 && l.size+int64(len(line)) > logFileBytes {
		if err := l.rotate(); err != nil {
			return err
		}
	}
	written, err := l.file.Write(line)
	l.size += int64(written)
	return err
}

func (l *logFile) rotate() error {
	_ = l.file.Close()
	if err := os.Rename(l.path, l.path+".1"); err != nil {
		return err
	}
	file, err := os.Create(l.path)
	l.file, l.size = file, 0
	return err
}

func (l *logFile) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = l.file.Close()
}
