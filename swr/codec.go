package swr

import (
	"encoding"
	"encoding/json"
	"fmt"
)

// A Codec turns values into bytes and back. Its methods may be called at the
// same time, from any goroutine.
type Codec[T any] interface {
	// Append appends the encoding of v to dst, and refers to neither later.
	Append(dst []byte, v T) ([]byte, error)
	// Decode is the inverse. data is shared by all who read the value: what
	// Decode returns must not refer to it, unless nobody ever writes to that.
	Decode(data []byte) (T, error)
}

// JSON is the Codec of encoding/json.
type JSON[T any] struct{}

// Append is of Codec.
func (JSON[T]) Append(dst []byte, v T) ([]byte, error) {
	data, err := json.Marshal(v)
	return append(dst, data...), err
}

// Decode is of Codec. Fields that T does not have are ignored.
func (JSON[T]) Decode(data []byte) (v T, err error) {
	err = json.Unmarshal(data, &v)
	return v, err
}

// Binary is the Codec of types that encode themselves: a T has MarshalBinary, or
// AppendBinary, which is preferred; P, which is *T, has UnmarshalBinary.
//
//	swr.Config[Price]{Codec: swr.Binary[Price, *Price]{}}
type Binary[T encoding.BinaryMarshaler, P interface {
	*T
	encoding.BinaryUnmarshaler
}] struct{}

// Append is of Codec.
func (Binary[T, P]) Append(dst []byte, v T) ([]byte, error) {
	if a, ok := any(v).(encoding.BinaryAppender); ok {
		return a.AppendBinary(dst)
	}
	data, err := v.MarshalBinary()
	return append(dst, data...), err
}

// Decode is of Codec.
func (Binary[T, P]) Decode(data []byte) (v T, err error) {
	if err = P(&v).UnmarshalBinary(data); err != nil {
		return v, fmt.Errorf("swr: %T: %w", v, err)
	}
	return v, nil
}
