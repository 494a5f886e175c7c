(component
  (import "host" (func $host (param "number" u32) (result u32)))
  (core func $lowered (canon lower (func $host)))
  (core module $many
    (type $number (func (param i32) (result i32)))
    (import "host" "number" (func $number (type $number)))
    (table 2 funcref)
    (global $ready (mut i32) (i32.const 0))
    (start $start)
    (elem (i32.const 0) $twice $thrice)
    (elem declare func $thrice)
    (func $twice (type $number) (i32.mul (local.get 0) (i32.const 2)))
    (func $start (global.set $ready (ref.is_null (ref.func $thrice))))
    (func $thrice (type $number) (i32.add (local.get 0) (i32.mul (local.get 0) (i32.const 2))))
    (func $run (export "run") (type $number)
      (i32.add
        (call_indirect (type $number) (call $number (local.get 0)) (global.get $ready))
        (call_indirect (type $number) (call $twice (local.get 0)) (i32.const 1)))))
  (core instance $instance
    (instantiate $many (with "host" (instance (export "number" (func $lowered))))))
  (func (export "run") (param "number" u32) (result u32)
    (canon lift (core func $instance "run"))))
