package client

import (
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// effect says when a call may be repeated.
type effect int

const (
	// reads may be repeated freely.
	reads effect = iota
	// keyed changes may be repeated under their request id.
	keyed
	// once: repeated only if it is known not to have been executed.
	once
)

// call is one method with its argument.
type call struct {
	method    string
	message   any
	effect    effect
	requestID string
}

const requestIDField = protoreflect.Name("request_id")

// newCall classifies a call. A change that can carry a request id and does not is given one, in a copy.
func newCall(method string, message any, newID func() string) call {
	c := call{method: method, message: message, effect: once}
	if readOnly(method) {
		c.effect = reads
		return c
	}
	m, ok := message.(proto.Message)
	if !ok {
		return c
	}
	field := m.ProtoReflect().Descriptor().Fields().ByName(requestIDField)
	if field == nil || field.Kind() != protoreflect.StringKind {
		return c
	}
	c.effect = keyed
	if c.requestID = m.ProtoReflect().Get(field).String(); c.requestID == "" {
		c.requestID = newID()
		copied := proto.Clone(m)
		copied.ProtoReflect().Set(field, protoreflect.ValueOfString(c.requestID))
		c.message = copied
	}
	return c
}

// readOnly goes by the naming of the API: what changes nothing begins with one of these verbs.
func readOnly(method string) bool {
	name := method[strings.LastIndexByte(method, '/')+1:]
	for _, verb := range []string{"Get", "List", "Watch", "Plan", "Verify", "Check", "ServerReflection"} {
		if strings.HasPrefix(name, verb) {
			return true
		}
	}
	return false
}
