package main

import (
	"github.com/mambac/mambac/codegen/lower"
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/op"
)

// caches is the format of keys and values that the passes are asked for. They know
// which weights are codes, and not what is done with them.
func (o *choice) caches() string {
	switch {
	case o.cache != "auto":
		return o.cache
	case o.math == string(lower.Exact):
		return "f32"
	case o.math == string(lower.Fast):
		return "f16"
	}
	return "auto"
}

// cacheFormat is the format of a module's keys and values; "" if it has none.
func cacheFormat(m *ir.Module) string {
	for _, r := range m.Regions {
		for _, v := range r.Body {
			if o, ok := v.Op.(op.Attention); ok {
				return o.CacheFormat()
			}
		}
	}
	return ""
}

// narrowCache is a format of keys and values, or nothing for float32.
func narrowCache(format string) string {
	if format == "f32" {
		return ""
	}
	return format
}

// withCache is a copy of a module that keeps its keys and values in a format.
func withCache(m *ir.Module, format string) *ir.Module {
	m = ir.Clone(m)
	for _, r := range m.Regions {
		for _, v := range r.Body {
			if o, ok := v.Op.(op.Attention); ok {
				o.Cache = format
				v.Op = o
			}
		}
	}
	return m
}
