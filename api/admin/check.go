package admin

import (
	"fmt"
	"net"
	"strings"
	"time"
	"unicode"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// How long texts of a request may be, in bytes.
const (
	maxName      = 256
	maxText      = 4096
	maxRequestID = 128
)

// check collects what is wrong with a request, all of it at once.
type check struct {
	violations []*errdetails.BadRequest_FieldViolation
}

func (c *check) add(field, format string, args ...any) {
	c.violations = append(c.violations, &errdetails.BadRequest_FieldViolation{
		Field: field, Description: fmt.Sprintf(format, args...),
	})
}

// err returns what was found as one error, or nil.
func (c *check) err() error {
	if len(c.violations) == 0 {
		return nil
	}
	texts := make([]string, len(c.violations))
	for i, v := range c.violations {
		texts[i] = v.GetField() + " " + v.GetDescription()
	}
	return &problem{failure: Invalid, reason: "invalid_request", message: strings.Join(texts, "; "), violations: c.violations}
}

// name checks an identifier that must be there.
func (c *check) name(field, value string) {
	if value == "" {
		c.add(field, "is required")
		return
	}
	c.optionalName(field, value)
}

// optionalName checks an identifier that may be empty.
func (c *check) optionalName(field, value string) {
	switch {
	case len(value) > maxName:
		c.add(field, "has %d bytes, at most %d are allowed", len(value), maxName)
	case strings.ContainsFunc(value, unicode.IsControl):
		c.add(field, "holds a control character")
	}
}

// text checks words that may be empty.
func (c *check) text(field, value string) {
	if len(value) > maxText {
		c.add(field, "has %d bytes, at most %d are allowed", len(value), maxText)
	}
}

// reason checks words that have to say something.
func (c *check) reason(value string) {
	if strings.TrimSpace(value) == "" {
		c.add("reason", "is required: say why, it goes on record")
		return
	}
	c.text("reason", value)
}

// requestID checks the id that makes a change repeatable.
func (c *check) requestID(id string) {
	unprintable := func(r rune) bool { return r <= ' ' || r > '~' }
	switch {
	case len(id) > maxRequestID:
		c.add("request_id", "has %d bytes, at most %d are allowed", len(id), maxRequestID)
	case strings.ContainsFunc(id, unprintable):
		c.add("request_id", "must be printable ASCII without spaces, best a UUID of version 7")
	}
}

// future checks a time that may be absent and returns it in Unix milliseconds, 0 if absent.
func (c *check) future(field string, at *timestamppb.Timestamp, now time.Time) int64 {
	switch {
	case at == nil:
		return 0
	case at.CheckValid() != nil:
		c.add(field, "is not a valid time")
		return 0
	case !at.AsTime().After(now):
		c.add(field, "is %s, which is over: it has to be in the future", at.AsTime().Format(time.RFC3339))
	}
	return at.AsTime().UnixMilli()
}

// scope checks that a request names one environment or all, not both.
func (c *check) scope(environment string, all bool) {
	switch {
	case all && environment != "":
		c.add("environment", "must be empty when all is set")
	case !all:
		c.name("environment", environment)
	}
}

// address checks a host and port.
func (c *check) address(field, value string) {
	host, port, err := net.SplitHostPort(value)
	if err != nil || host == "" || port == "" {
		c.add(field, "must be host:port, such as 10.0.0.4:7700")
	}
}
