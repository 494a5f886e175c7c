;; Linked as wit-component links a dynamic library's component: modules that share a memory and a table, and two that bring
;; functions of the host which need that memory.
(component
  (import "host" (func $host (param "text" string)))
  (core module $shim
    (type $two (func (param i32 i32)))
    (table (export "$imports") 1 funcref)
    (func (export "0") (param i32 i32)
      (call_indirect (type $two) (local.get 0) (local.get 1) (i32.const 0))))
  (core module $fixup
    (import "" "0" (func $function (param i32 i32)))
    (import "" "$imports" (table 1 funcref))
    (elem (i32.const 0) func $function))
  (core module $main
    (memory (export "memory") 1)
    (table (export "table") 4 funcref)
    (global (export "base") i32 (i32.const 1))
    (global (export "sum") (mut i32) (i32.const 5))
    (data (i32.const 16) "hello"))
  (core module $adder
    (import "env" "sum" (global $sum (mut i32)))
    (func (export "add") (param i32) (result i32)
      (global.set $sum (i32.add (global.get $sum) (local.get 0)))
      (global.get $sum)))
  (core module $app
    (import "env" "memory" (memory 1))
    (import "env" "table" (table 4 funcref))
    (import "env" "base" (global $base i32))
    (import "env" "add" (func $add (param i32) (result i32)))
    (import "env" "host" (func $host (param i32 i32)))
    (type $one (func (param i32) (result i32)))
    (global $second i32 (i32.add (global.get $base) (i32.const 1)))
    (func $twice (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2)))
    (elem (global.get $base) func $add $twice)
    (func (export "run") (param i32) (result i32)
      (call $host (i32.const 16) (i32.const 5))
      (call_indirect (type $one)
        (call_indirect (type $one) (local.get 0) (i32.const 1))
        (global.get $second))))
  (core instance $shim (instantiate $shim))
  (core instance $main (instantiate $main))
  (core instance $adder (instantiate $adder
    (with "env" (instance (export "sum" (global $main "sum"))))))
  (core instance $app (instantiate $app (with "env" (instance
    (export "memory" (memory $main "memory"))
    (export "table" (table $main "table"))
    (export "base" (global $main "base"))
    (export "add" (func $adder "add"))
    (export "host" (func $shim "0"))))))
  (core func $lowered (canon lower (func $host) (memory (core memory $main "memory"))))
  (core instance (instantiate $fixup (with "" (instance
    (export "0" (func $lowered))
    (export "$imports" (table $shim "$imports"))))))
  (func (export "run") (param "number" u32) (result u32) (canon lift (core func $app "run"))))
