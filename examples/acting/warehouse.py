"""Takes what a trigger tells from RabbitMQ, and says when it came."""

import asyncio
from datetime import UTC, datetime

import aio_pika


async def main() -> None:
    """Until it is interrupted."""
    async with await aio_pika.connect("amqp://guest:guest@127.0.0.1/") as link:
        channel = await link.channel()
        exchange = await channel.declare_exchange("segue", aio_pika.ExchangeType.TOPIC, durable=True)
        queue = await channel.declare_queue("warehouse", durable=True)
        await queue.bind(exchange, "#")
        async with queue.iterator() as messages:
            async for message in messages:
                at = datetime.now(UTC).isoformat(timespec="milliseconds")[11:23]
                print(at, message.message_id, message.body.decode(), flush=True)
                await message.ack()


asyncio.run(main())
