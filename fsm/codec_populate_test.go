package fsm

import (
	"fmt"
	"reflect"

	"pgregory.net/rapid"
)

// source is where the values of a filled record come from.
type source interface {
	number(limit uint64) uint64
	text() string
	// length is of a list, a map or of bytes; 0 leaves them and pointers out.
	length() int
}

// counted fills every field, each with a value of its own, always the same.
type counted struct{ n uint64 }

func (c *counted) number(limit uint64) uint64 {
	c.n++
	return 1 + c.n%limit
}

func (c *counted) text() string {
	c.n++
	return fmt.Sprintf("text %d", c.n)
}

func (c *counted) length() int { return 2 }

// drawn fills fields at random, or not at all.
type drawn struct{ t *rapid.T }

func (d drawn) number(limit uint64) uint64 { return rapid.Uint64Range(0, limit).Draw(d.t, "number") }
func (d drawn) text() string               { return rapid.StringN(0, 200, 400).Draw(d.t, "text") }
func (d drawn) length() int                { return rapid.IntRange(0, 3).Draw(d.t, "length") }

// highest is the highest value of each enumeration.
var highest = map[reflect.Type]uint64{
	reflect.TypeFor[DeploymentState](): uint64(len(stateNames) - 1),
	reflect.TypeFor[Phase]():           uint64(len(phaseNames) - 1),
	reflect.TypeFor[Health]():          uint64(len(healthNames) - 1),
	reflect.TypeFor[Risk]():            uint64(len(riskNames) - 1),
	reflect.TypeFor[Kind]():            uint64(len(kindNames) - 1),
	reflect.TypeFor[Answer]():          uint64(AnswerNo),
	reflect.TypeFor[Role]():            uint64(len(roleNames) - 1),
	reflect.TypeFor[byte]():            255,
}

// populate sets every field of a record, of the records inside it, and so on. It
// panics at a type that it does not know, so that no field is left out.
func populate(v reflect.Value, s source) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(s.text())
	case reflect.Bool:
		v.SetBool(s.number(1) == 1)
	case reflect.Uint8:
		v.SetUint(s.number(highest[v.Type()]))
	case reflect.Uint32:
		v.SetUint(s.number(1<<32 - 2))
	case reflect.Uint64:
		v.SetUint(s.number(1<<64 - 2))
	case reflect.Int64:
		v.SetInt(int64(s.number(1<<64 - 2)))
	case reflect.Struct:
		for i := range v.NumField() {
			populate(v.Field(i), s)
		}
	case reflect.Array:
		for i := range v.Len() {
			populate(v.Index(i), s)
		}
	case reflect.Pointer:
		if s.length() > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			populate(v.Elem(), s)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), s.length(), 3))
		for i := range v.Len() {
			populate(v.Index(i), s)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range s.length() {
			v.SetMapIndex(reflect.ValueOf(s.text()), reflect.ValueOf(s.text()))
		}
	default:
		panic("populate does not know " + v.Type().String())
	}
}

func filled[T any](s source) *T {
	record := new(T)
	populate(reflect.ValueOf(record).Elem(), s)
	return record
}
