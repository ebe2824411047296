package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/honua-io/honua-gitops/internal/client"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

func newGossipKeyCommand(s *session) *cobra.Command {
	group := newGroup("gossip-key", "Change the key that encrypts gossip, while the cluster runs", newGossipKeyListCommand(s),
		newGossipKeyStepCommand(s, "install", "Have every node understand a new key",
			"Have every node understand a new key. Without KEY one is made and shown once; - reads it from standard input."),
		newGossipKeyStepCommand(s, "use", "Have every node encrypt with an installed key", "Have every node encrypt with a key that all of them have."),
		newGossipKeyStepCommand(s, "remove", "Have every node forget a key that is no longer used", "Have every node forget a key that none of them encrypts with."))
	group.Long = `Change the key that encrypts gossip, while the cluster runs: install the new key, use it, remove the old
one. Each step may be repeated. Nodes keep the keys in their data directories; put the new one into
Cluster.GossipKey too, which new nodes begin with.`
	group.Example = "  honua cluster gossip-key install\n  honua cluster gossip-key use 8d969eef6ecad3c2\n  honua cluster gossip-key remove 2c26b46b68ffc68f"
	return group
}

// gossipKeysView is the answer of all gossip-key commands; Key is set if one was made.
type gossipKeysView struct {
	Fingerprint string           `json:"fingerprint,omitempty"`
	Key         string           `json:"key,omitempty"`
	Nodes       []gossipNodeView `json:"nodes"`
}

type gossipNodeView struct {
	Node    string   `json:"node"`
	Primary string   `json:"primary"`
	Keys    []string `json:"keys"`
	Error   string   `json:"error"`
}

func newGossipNodes(list []*pb.NodeGossipKeys) []gossipNodeView {
	nodes := []gossipNodeView{}
	for _, n := range list {
		keys := n.GetKeys()
		if keys == nil {
			keys = []string{}
		}
		nodes = append(nodes, gossipNodeView{Node: n.GetNodeId(), Primary: n.GetPrimary(), Keys: keys, Error: n.GetError()})
	}
	return nodes
}

func newGossipKeyListCommand(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "Show which keys each node has, by their fingerprints", Args: cobra.NoArgs,
		Example: "  honua cluster gossip-key list",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := s.checkFormat(); err != nil {
				return err
			}
			var shown gossipKeysView
			err := s.call(cmd.Context(), func(ctx context.Context, c *client.Client) error {
				answer, err := c.Cluster().ListGossipKeys(ctx, &pb.ListGossipKeysRequest{})
				shown.Nodes = newGossipNodes(answer.GetNodes())
				return err
			})
			if err != nil {
				return err
			}
			return s.print(shown, func(w io.Writer) error { return gossipTable(w, shown.Nodes) })
		},
	}
}

func newGossipKeyStepCommand(s *session, step, short, long string) *cobra.Command {
	use, args := step+" FINGERPRINT|KEY|-", cobra.ExactArgs(1)
	if step == "install" {
		use, args = step+" [KEY|-]", cobra.MaximumNArgs(1)
	}
	return &cobra.Command{
		Use: use, Short: short, Long: long, Args: args,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := s.checkFormat(); err != nil {
				return err
			}
			request := &pb.ChangeGossipKeyRequest{Operation: map[string]pb.GossipKeyOperation{
				"install": pb.GossipKeyOperation_GOSSIP_KEY_OPERATION_INSTALL,
				"use":     pb.GossipKeyOperation_GOSSIP_KEY_OPERATION_USE,
				"remove":  pb.GossipKeyOperation_GOSSIP_KEY_OPERATION_REMOVE,
			}[step]}
			made, err := s.gossipKey(args, request)
			if err != nil {
				return err
			}
			return s.changeGossipKey(cmd.Context(), request, made)
		},
	}
}

// gossipKey finds out which key is meant; made is set if it is a new one.
func (s *session) gossipKey(args []string, to *pb.ChangeGossipKeyRequest) (made string, err error) {
	if len(args) == 0 {
		to.Key = make([]byte, 32)
		_, err := rand.Read(to.Key)
		return base64.StdEncoding.EncodeToString(to.Key), err
	}
	text := args[0]
	if text == "-" {
		line, err := bufio.NewReader(io.LimitReader(s.in, 1024)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", err
		}
		text = strings.TrimSpace(line)
	}
	if regexp.MustCompile(`^[0-9a-f]{16}$`).MatchString(text) && to.GetOperation() != pb.GossipKeyOperation_GOSSIP_KEY_OPERATION_INSTALL {
		to.Fingerprint = text
		return "", nil
	}
	to.Key, err = base64.StdEncoding.DecodeString(text)
	if n := len(to.GetKey()); err != nil || n != 16 && n != 24 && n != 32 {
		return "", errors.New("this is neither a fingerprint nor a key of 16, 24 or 32 bytes in base64; make one with: head -c 32 /dev/urandom | base64")
	}
	return "", nil
}

func (s *session) changeGossipKey(ctx context.Context, request *pb.ChangeGossipKeyRequest, made string) error {
	shown := gossipKeysView{Key: made}
	err := s.call(ctx, func(ctx context.Context, c *client.Client) error {
		answer, err := c.Cluster().ChangeGossipKey(ctx, request)
		shown.Fingerprint, shown.Nodes = answer.GetFingerprint(), newGossipNodes(answer.GetNodes())
		return err
	})
	if err != nil {
		return err
	}
	return s.print(shown, func(w io.Writer) error {
		if made != "" {
			fmt.Fprintf(w, "%s\n", made)
			fmt.Fprintf(s.err, "It is not shown again: put it into Cluster.GossipKey of every node.\n")
		}
		fmt.Fprintf(s.err, "Key %s: done on %d nodes\n", shown.Fingerprint, len(shown.Nodes))
		return gossipTable(s.err, shown.Nodes)
	})
}

func gossipTable(w io.Writer, nodes []gossipNodeView) error {
	t := newTable(w, "NODE", "IN USE", "KEYS", "ERROR")
	for _, n := range nodes {
		t.row(safe(n.Node), n.Primary, strings.Join(n.Keys, " "), safe(n.Error))
	}
	return t.flush()
}
