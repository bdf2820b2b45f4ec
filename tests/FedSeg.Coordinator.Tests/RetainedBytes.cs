using System.Reflection;
using System.Runtime.CompilerServices;

namespace FedSeg.Coordinator.Tests;

/// <summary>
/// What objects hold on to, bytes, counted field by field: unlike the heap's own figure it is the same whatever other tests do meanwhile.
/// Counted are this product's objects, texts, collections and what tasks resulted in; everything else of the system leads to what tests
/// share. Headers count as 16 bytes.
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
            if (!IsCounted(next) || !seen.Add(next)) continue;
            total += Header + next switch
            {
                string text => sizeof(int) + sizeof(char) * text.Length,
                Array array => OfElements(array, waiting),
                Task task => OfResult(task, waiting),
                _ => OfFields(next, next.GetType(), waiting),
            };
        }

        return total;
    }

    private static bool IsCounted(object instance)
    {
        if (instance is Task or Array) return true;
        var space = instance.GetType().Namespace ?? "";
        return instance is not (Delegate or MemberInfo)
            && (space == "System" || space.StartsWith("System.Collections", StringComparison.Ordinal) || space.StartsWith("FedSeg", StringComparison.Ordinal));
    }

    private static long OfResult(Task task, Stack<object> waiting)
    {
        var result = task.IsCompletedSuccessfully ? task.GetType().GetProperty(nameof(Task<int>.Result))?.GetValue(task) : null;
        if (result is not null) waiting.Push(result);
        return Reference;
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
