package cluster

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// reservePort binds a free port of the loopback address without listening on
// it, and returns it. While the binding is held nobody else is given the port,
// yet the API server, which also sets SO_REUSEPORT, can listen on it, and again
// after each restart. The port that the file names is preferred, so that a
// cluster that is started again keeps its address.
func reservePort(file string) (int, error) {
	wanted := 0
	if content, err := os.ReadFile(file); err == nil {
		wanted, _ = strconv.Atoi(strings.TrimSpace(string(content)))
	}
	port, err := bind(wanted)
	if err != nil && wanted != 0 {
		port, err = bind(0)
	}
	if err != nil {
		return 0, fmt.Errorf("reserve a port: %w", err)
	}
	return port, os.WriteFile(file, []byte(strconv.Itoa(port)), 0o600)
}

// bind never closes the socket: the reservation lasts as long as the supervisor.
func bind(port int) (int, error) {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	if err := unix.SetsockoptInt(socket, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1); err != nil {
		return 0, err
	}
	if err := unix.Bind(socket, &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		unix.Close(socket)
		return 0, err
	}
	bound, err := unix.Getsockname(socket)
	if err != nil {
		return 0, err
	}
	address, ok := bound.(*unix.SockaddrInet4)
	if !ok {
		return 0, fmt.Errorf("unexpected address %v", bound)
	}
	return address.Port, nil
}
