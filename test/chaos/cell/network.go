//go:build linux

package cell

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/honua-io/honua-gitops/test/chaos/relay"
)

// Hub is the index of the host that the program itself is; nodes begin at 0.
const Hub = -1

// device is the name of the one network device that each host has.
const device = "eth0"

// mtu keeps packets large, and so few.
const mtu = "9000"

// Network is one host for each node and one for the program, each in a network namespace of its own, with a relay
// between them. Packets are dropped by nft where they leave a host, and held back by the relay.
type Network struct {
	nodes int
	relay *relay.Relay
	done  chan struct{}
	stop  context.CancelFunc

	mu sync.Mutex
	// loss is how many of a hundred packets from one host to another are dropped.
	loss map[Way]int
}

// NewNetwork makes the hosts. It may be called once in a cell.
func NewNetwork(ctx context.Context, nodes int, seed uint64) (*Network, error) {
	n := &Network{nodes: nodes, done: make(chan struct{}), loss: map[Way]int{}}
	devices := map[[4]byte]io.ReadWriteCloser{}
	for _, i := range n.hosts() {
		file, err := n.host(ctx, i)
		if err != nil {
			for _, opened := range devices {
				_ = opened.Close()
			}
			return nil, fmt.Errorf("the network of %s: %w", name(i), err)
		}
		devices[address(i)] = file
	}
	n.relay = relay.New(devices, seed)
	ctx, n.stop = context.WithCancel(ctx)
	go func() {
		defer close(n.done)
		n.relay.Run(ctx)
	}()
	return n, nil
}

// Close ends the relay; the rest goes with the cell.
func (n *Network) Close() {
	n.stop()
	<-n.done
}

func (n *Network) hosts() []int {
	all := []int{Hub}
	for i := range n.nodes {
		all = append(all, i)
	}
	return all
}

func name(i int) string {
	if i == Hub {
		return "hub"
	}
	return fmt.Sprintf("node%d", i+1)
}

func address(i int) [4]byte {
	if i == Hub {
		return [4]byte{10, 77, 0, 1}
	}
	return [4]byte{10, 77, 0, byte(11 + i)}
}

// Host is the address of a host.
func Host(i int) string {
	a := address(i)
	return fmt.Sprintf("%d.%d.%d.%d", a[0], a[1], a[2], a[3])
}

// host makes a host and returns the other end of its device.
func (n *Network) host(ctx context.Context, i int) (*os.File, error) {
	if i != Hub {
		if err := run(ctx, "", "ip", "netns", "add", name(i)); err != nil {
			return nil, err
		}
	}
	file, err := openDevice(i)
	if err != nil {
		return nil, err
	}
	for _, args := range [][]string{
		{"addr", "add", Host(i) + "/24", "dev", device}, {"link", "set", device, "mtu", mtu, "up"}, {"link", "set", "lo", "up"},
	} {
		if i != Hub {
			args = append([]string{"-n", name(i)}, args...)
		}
		if err := run(ctx, "", "ip", args...); err != nil {
			return nil, errors.Join(err, file.Close())
		}
	}
	return file, nil
}

// openDevice makes a host's device and returns what is sent there and takes what arrives.
func openDevice(i int) (*os.File, error) {
	type opened struct {
		file *os.File
		err  error
	}
	result := make(chan opened)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine, and with it its namespace
		file, err := openHere(i)
		result <- opened{file, err}
	}()
	r := <-result
	return r.file, r.err
}

func openHere(i int) (*os.File, error) {
	if i != Hub {
		namespace, err := os.Open("/run/netns/" + name(i))
		if err != nil {
			return nil, err
		}
		defer namespace.Close()
		if err := unix.Setns(int(namespace.Fd()), unix.CLONE_NEWNET); err != nil {
			return nil, fmt.Errorf("entering it: %w", err)
		}
	}
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("/dev/net/tun: %w", err)
	}
	request, err := unix.NewIfreq(device)
	if err == nil {
		request.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
		err = unix.IoctlIfreq(fd, unix.TUNSETIFF, request)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("making %s: %w", device, err), unix.Close(fd))
	}
	return os.NewFile(uintptr(fd), device), nil
}

// Command has a command run on a node's host.
func (n *Network) Command(i int, command *exec.Cmd) *exec.Cmd {
	inside := exec.Command("ip", append([]string{"netns", "exec", name(i)}, command.Args...)...)
	inside.Env, inside.Dir = command.Env, command.Dir
	return inside
}

// Hold sets the latency of a host.
func (n *Network) Hold(i int, latency relay.Latency) { n.relay.Hold(address(i), latency) }

// Way is from one host to another.
type Way struct{ From, To int }

// Drop sets how many of a hundred packets are lost on each way, 100 cuts it; ways that are not named are whole.
func (n *Network) Drop(ctx context.Context, loss map[Way]int) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	before := n.loss
	n.loss = maps.Clone(loss)
	var errs []error
	for _, from := range n.hosts() {
		for _, to := range n.hosts() {
			if before[Way{from, to}] != n.loss[Way{from, to}] {
				errs = append(errs, n.apply(ctx, from))
				break
			}
		}
	}
	return errors.Join(errs...)
}

// apply replaces a host's rules, all at once.
func (n *Network) apply(ctx context.Context, from int) error {
	var rules strings.Builder
	rules.WriteString("add table inet chaos\ndelete table inet chaos\n" +
		"table inet chaos {\n chain out {\n  type filter hook output priority 0; policy accept;\n")
	for _, to := range n.hosts() {
		switch percent := n.loss[Way{from, to}]; {
		case percent >= 100:
			fmt.Fprintf(&rules, "  ip daddr %s drop\n", Host(to))
		case percent > 0:
			fmt.Fprintf(&rules, "  ip daddr %s numgen random mod 100 < %d drop\n", Host(to), percent)
		}
	}
	rules.WriteString(" }\n}\n")
	if from == Hub {
		return run(ctx, rules.String(), "nft", "-f", "-")
	}
	return run(ctx, rules.String(), "ip", "netns", "exec", name(from), "nft", "-f", "-")
}

func run(ctx context.Context, input, program string, args ...string) error {
	command := exec.CommandContext(ctx, program, args...)
	command.Stdin = strings.NewReader(input)
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w: %s", program, strings.Join(args, " "), err, out)
	}
	return nil
}
