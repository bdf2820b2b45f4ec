using System.Reflection;
using System.Runtime.CompilerServices;

namespace FedSeg.Coordinator.Tests;

/// <summary>
/// What objects hold on to, bytes, counted field by field: unlike the heap's own figure it is the same whatever other tests do meanwhile.
/// Headers count as 16 bytes; what the runtime hangs on to for threads and code is left out.
/// </summary>
internal static class RetainedBytes
{
    private const int Header = 16, Reference = 8;

    public static long Of(params IEnumerable<object> roots)
    {
        var seen = new HashSet<object>(ReferenceEqualityComparer.Instance);
        var waiting = new Stack<object>(roots);
        var total = 0L;
        while (waiting.TryPop(out var next))
        {
            if (next is Delegate or ExecutionContext or MemberInfo or Assembly or Module or Thread || !seen.Add(next)) continue;
            total += Header + next switch
            {
                string text => sizeof(int) + sizeof(char) * text.Length,
                Array array => OfElements(array, waiting),
                _ => OfFields(next, next.GetType(), waiting),
            };
        }

        return total;
    }

    private static long OfElements(Array array, Stack<object> waiting)
    {
        var type = array.GetType().GetElementType()!;
        if (type.IsPrimitive || type.IsEnum || type.IsPointer) return (long)array.Length * SizeOf(type);
        var bytes = 0L;
        foreach (var element in array) bytes += OfValue(element, type, waiting);
        return bytes;
    }

    private static long OfFields(object instance, Type type, Stack<object> waiting)
    {
        var bytes = 0L;
        for (var at = type; at is not null; at = at.BaseType)
        {
            foreach (var field in at.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
            {
                if (field.FieldType.IsByRefLike) continue;
                var isPlain = field.FieldType.IsPrimitive || field.FieldType.IsEnum || field.FieldType.IsPointer || field.FieldType.IsFunctionPointer;
                bytes += isPlain ? SizeOf(field.FieldType) : OfValue(field.GetValue(instance), field.FieldType, waiting);
            }
        }

        return bytes;
    }

    private static long OfValue(object? value, Type type, Stack<object> waiting)
    {
        if (type.IsValueType) return value is null ? 0 : OfFields(value, value.GetType(), waiting);
        if (value is not null) waiting.Push(value);
        return Reference;
    }

    private static int SizeOf(Type type) =>
        type.IsPointer || type.IsFunctionPointer ? Reference
        : type.IsEnum ? SizeOf(Enum.GetUnderlyingType(type))
        : type == typeof(bool) || type == typeof(byte) || type == typeof(sbyte) ? 1
        : type == typeof(char) || type == typeof(short) || type == typeof(ushort) ? 2
        : type == typeof(int) || type == typeof(uint) || type == typeof(float) ? 4
        : Unsafe.SizeOf<long>();
}
