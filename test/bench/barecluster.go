package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// bareCluster is three processes with nothing but raft in them.
type bareCluster struct {
	nodes []*bareNode
}

type bareNode struct {
	process
	clients string
	conn    net.Conn
	answers *bufio.Reader
}

func startBare(ctx context.Context, dir string) (*bareCluster, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	var rafts []string
	for range nodeCount {
		address, err := freeAddress()
		if err != nil {
			return nil, err
		}
		rafts = append(rafts, address)
	}
	c := &bareCluster{}
	for i, address := range rafts {
		n := &bareNode{}
		if n.clients, err = freeAddress(); err != nil {
			return nil, err
		}
		folder := filepath.Join(dir, fmt.Sprintf("bare%d", i+1))
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return nil, err
		}
		n.process = process{
			name: "bare raft", program: self, logFile: filepath.Join(folder, "log"),
			args: append([]string{bareCommand, folder, n.clients, address}, rafts...),
		}
		c.nodes = append(c.nodes, n)
		if err := n.start(); err != nil {
			return nil, err
		}
	}
	return c, c.write(ctx)
}

func (c *bareCluster) stop() {
	for _, n := range c.nodes {
		n.hangUp()
		n.stop()
	}
}

// write asks one node after the other until one accepts, as a client does at its best.
func (c *bareCluster) write(ctx context.Context) error {
	for {
		for _, n := range c.nodes {
			if answer, err := n.ask("write"); err == nil && answer == "ok" {
				return nil
			}
		}
		if !rest(ctx, time.Millisecond) {
			return ctx.Err()
		}
	}
}

func (c *bareCluster) leader() (*bareNode, error) {
	for _, n := range c.nodes {
		if answer, err := n.ask("leader"); err == nil && answer == "ok" {
			return n, nil
		}
	}
	return nil, errors.New("bare raft has no leader")
}

// ask sends a line over the one connection that is kept.
func (n *bareNode) ask(line string) (string, error) {
	if n.conn == nil {
		conn, err := net.DialTimeout("tcp", n.clients, 200*time.Millisecond)
		if err != nil {
			return "", err
		}
		n.conn, n.answers = conn, bufio.NewReader(conn)
	}
	err := n.conn.SetDeadline(time.Now().Add(3 * time.Second))
	if err == nil {
		_, err = fmt.Fprintln(n.conn, line)
	}
	answer := ""
	if err == nil {
		answer, err = n.answers.ReadString('\n')
	}
	if err != nil {
		n.hangUp()
	}
	return strings.TrimSpace(answer), err
}

func (n *bareNode) hangUp() {
	if n.conn != nil {
		_ = n.conn.Close()
		n.conn = nil
	}
}
